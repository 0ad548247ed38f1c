/** *Crear usuario*, step by step. It outlives its screen: what was typed is there again when one comes back. */
import type { Backend } from '../../backend/backend';
import type { CodeOnItsWay } from '../../bindings/CodeOnItsWay';
import type { PendingRegistration } from '../../bindings/PendingRegistration';
import { commandError } from '../../errors';
import {
  missing,
  PRIVACY_NOTICE,
  type Problem,
  refused,
  type Step,
  stepOf,
  STEPS,
  type Typed,
} from './cuenta';

const EMPTY: Typed = {
  nit: '',
  entity_name: '',
  display_name: '',
  email: '',
  phone: '',
  password: '',
  accepted: false,
};

export class Registration {
  readonly #backend: Backend;
  step = $state<Step>('entity');
  typed = $state<Typed>({ ...EMPTY });
  code = $state('');
  problem = $state.raw<Problem | null>(null);
  working = $state(false);
  /** When another code may be asked for. */
  again_at_ms = $state(0);
  resent = $state(false);
  #id = $state<string | null>(null);

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** A registration of before the program was closed waits for its code. */
  resume(pending: PendingRegistration): void {
    if (this.#id !== null || this.step !== 'entity') return;
    this.#id = pending.id;
    this.typed.email = pending.email;
    this.step = 'code';
  }

  /** Goes on to the next step; the last ones ask the server. */
  async next(): Promise<void> {
    if (this.working) return;
    this.resent = false;
    this.problem = missing(this.step, this.typed);
    if (this.problem) return;
    await this.#attempt(() => this.#leave());
  }

  back(): void {
    this.problem = null;
    const at = STEPS.findIndex((step) => step === this.step);
    const before = STEPS[at - 1];
    if (before) this.step = before;
  }

  /** The data are corrected: from the first step on, with everything that was typed. */
  restart(): void {
    this.problem = null;
    this.code = '';
    this.#id = null;
    this.step = 'entity';
  }

  async resend(): Promise<void> {
    const id = this.#id;
    if (this.working || id === null) return;
    this.resent = false;
    await this.#attempt(async () => {
      this.#sent(await this.#backend.resend_code(id));
      this.resent = true;
    });
  }

  async #leave(): Promise<void> {
    const { nit, entity_name, display_name, email, phone, password } = this.typed;
    switch (this.step) {
      case 'entity':
        await this.#backend.check_nit(nit);
        this.step = 'person';
        return;
      case 'person':
        await this.#backend.check_contact(email, phone);
        this.step = 'password';
        return;
      case 'password': {
        const { weakness } = await this.#backend.judge_password(password, this.personal);
        if (weakness) throw { code: 'WEAK_PASSWORD', params: {} };
        this.step = 'notice';
        return;
      }
      case 'notice': {
        const form = {
          nit,
          entity_name,
          display_name,
          email,
          phone,
          password,
          privacy_notice: PRIVACY_NOTICE,
        };
        this.#sent(await this.#backend.register(form));
        this.step = 'code';
        return;
      }
      case 'code':
        if (this.#id !== null) await this.#backend.confirm_account(this.#id, this.code);
        this.#id = null;
        this.code = '';
        this.typed.password = '';
        this.step = 'done';
        return;
      case 'done':
        this.typed = { ...EMPTY };
        this.step = 'entity';
    }
  }

  /** What the password must not come from. */
  get personal(): string[] {
    const { nit, entity_name, display_name, email } = this.typed;
    return [nit, entity_name, display_name, email];
  }

  #sent({ registration_id, again_in_s }: CodeOnItsWay): void {
    this.#id = registration_id;
    this.again_at_ms = Date.now() + again_in_s * 1000;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.working = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = refused(commandError(thrown));
      this.step = stepOf(this.problem, this.step);
    } finally {
      this.working = false;
    }
  }
}
