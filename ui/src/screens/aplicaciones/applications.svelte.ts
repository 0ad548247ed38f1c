/**
 * The state of the applications, followed while the screen is open: the answer of the caja shows by itself. An administrator
 * sees what became of the request, too.
 */
import type { Desk } from '../../app/desk.svelte';
import type { CommandError, Stop } from '../../backend/backend';
import type { ApplicationRequest } from '../../bindings/ApplicationRequest';
import { approvedConvenios, isAdministrator } from '../../route';

/** How often the caja's answer is looked for. */
export const LOOK_MS = 20_000;

export class Applications {
  readonly #desk: Desk;
  working = $state(false);
  error = $state.raw<CommandError | null>(null);
  /** The newest request of the entity; `null` when there is none, or it is not known. */
  request = $state.raw<ApplicationRequest | null>(null);
  /** CONVENIOS was approved while one looked. */
  approved_now = $state(false);
  #looks = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Looks now, and now and then as long as there is something to wait for. */
  start(): Stop {
    void this.#look(true);
    const timer = setInterval(() => {
      if (this.#waits()) void this.#look(true);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }

  /** *Actualizar*: says when it did not work. */
  async reload(): Promise<void> {
    if (this.working) return;
    this.working = true;
    this.error = null;
    await this.#look(false);
    this.working = false;
  }

  #waits(): boolean {
    const { session } = this.#desk;
    return session !== null && !approvedConvenios(session);
  }

  /** Quietly, a failure is left to the status bar: nobody asked for anything. */
  async #look(quietly: boolean): Promise<void> {
    this.#looks += 1;
    const look = this.#looks;
    const waited = this.#waits();
    try {
      await this.#desk.refresh_session();
      const { session } = this.#desk;
      const administers = session !== null && isAdministrator(session);
      const [newest = null] = administers ? await this.#desk.backend.application_requests() : [];
      // A slower, older answer must not take back a newer one.
      if (look !== this.#looks) return;
      this.request = newest;
      this.error = null;
      if (waited && !this.#waits()) this.approved_now = true;
    } catch (thrown) {
      if (look !== this.#looks) return;
      const error = this.#desk.noted(thrown);
      if (!quietly) this.error = error;
    }
  }
}
