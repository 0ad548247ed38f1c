/** *Olvidé mi contraseña*: the address, then the code with a new password. */
import type { Backend } from '../../backend/backend';
import { commandError } from '../../errors';
import { t } from '../../i18n/i18n';
import { type FieldName, type Problem, refused } from './cuenta';

export class Forgotten {
  readonly #backend: Backend;
  step = $state<'email' | 'code' | 'done'>('email');
  email = $state('');
  code = $state('');
  password = $state('');
  problem = $state.raw<Problem | null>(null);
  working = $state(false);
  again_at_ms = $state(0);
  resent = $state(false);

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async next(): Promise<void> {
    if (this.working) return;
    this.resent = false;
    if (this.step === 'email') {
      if (this.#is_empty('email')) return;
      await this.#attempt(async () => {
        await this.#ask();
        this.step = 'code';
      });
    } else if (this.step === 'code') {
      if (this.#is_empty('code') || this.#is_empty('password')) return;
      await this.#attempt(async () => {
        await this.#backend.reset_password(this.email, this.code, this.password);
        this.code = '';
        this.password = '';
        this.step = 'done';
      });
    }
  }

  async resend(): Promise<void> {
    if (this.working) return;
    this.resent = false;
    await this.#attempt(async () => {
      await this.#ask();
      this.resent = true;
    });
  }

  /** Another address; a password that was typed stays. */
  back(): void {
    this.problem = null;
    this.step = 'email';
  }

  async #ask(): Promise<void> {
    const { again_in_s } = await this.#backend.forgot_password(this.email);
    this.again_at_ms = Date.now() + again_in_s * 1000;
  }

  #is_empty(field: FieldName & ('email' | 'code' | 'password')): boolean {
    const is_empty = this[field].trim() === '';
    this.problem = is_empty ? { field, text: t('cuenta_empty') } : null;
    return is_empty;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.working = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = refused(commandError(thrown));
    } finally {
      this.working = false;
    }
  }
}
