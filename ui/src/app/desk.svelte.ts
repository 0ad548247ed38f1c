/**
 * What every screen shares: who is signed in, the status bar, the notices. The desk itself (the Rust side) is the
 * truth; this only remembers its last answers.
 */
import type { Backend, CommandError, Stop } from '../backend/backend';
import type { LastSync } from '../bindings/LastSync';
import type { Notice } from '../bindings/Notice';
import type { PendingRegistration } from '../bindings/PendingRegistration';
import type { Recovered } from '../bindings/Recovered';
import type { Session } from '../bindings/Session';
import type { Status } from '../bindings/Status';
import { commandError } from '../errors';

const TICK_MS = 1000;

export class Desk {
  readonly backend: Backend;

  /** `starting` until the desk said what to show first. */
  phase = $state<'starting' | 'open' | 'failed'>('starting');
  start_error = $state.raw<CommandError | null>(null);
  session = $state.raw<Session | null>(null);
  /** `undefined` until it was asked for; `null` when that failed: then nothing is claimed. */
  status = $state.raw<Status | null | undefined>();
  notices = $state.raw<Notice[]>([]);
  /** What had waited was delivered, and nobody has looked at how that went. */
  synced = $state.raw<LastSync | null>(null);
  /** The server is being asked whether it answers. */
  trying = $state(false);
  /** The caja revoked this PC while the window was open. */
  revoked = $state(false);
  /** What was brought back from an outbox that was set aside. */
  recovered = $state.raw<Recovered | null>(null);
  recovering = $state(false);
  recover_error = $state.raw<CommandError | null>(null);
  /** A registration of before that waits for its code. */
  registration = $state.raw<PendingRegistration | null>(null);
  version = $state('');
  server = $state('');
  /** How often the desk told the status by itself. */
  #told = 0;
  /** Moves every second, for the sentences that say how long ago. */
  now_ms = $state(Date.now());

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Follows the desk until stopped. */
  follow(): Stop {
    const stops = [
      this.backend.on_status((status) => {
        this.#told += 1;
        this.status = status;
      }),
      this.backend.on_synced((sync) => (this.synced = sync)),
      this.backend.on_revoked(() => {
        this.session = null;
        this.revoked = true;
      }),
    ];
    const timer = setInterval(() => (this.now_ms = Date.now()), TICK_MS);
    // Back from another window: what the bar says is asked anew.
    const look = () => void this.refresh_status();
    window.addEventListener('focus', look);
    // What the system says of the network is no truth, but a reason to ask the server at once.
    const ask = () => void this.try_now();
    for (const change of ['online', 'offline']) window.addEventListener(change, ask);
    return () => {
      stops.forEach((stop) => stop());
      window.removeEventListener('focus', look);
      for (const change of ['online', 'offline']) window.removeEventListener(change, ask);
      clearInterval(timer);
    };
  }

  async open(): Promise<void> {
    this.phase = 'starting';
    try {
      const { session, notices, version, server, registration } = await this.backend.start();
      Object.assign(this, { session, notices, version, server, registration });
      this.phase = 'open';
      await this.refresh_status();
    } catch (thrown) {
      this.start_error = commandError(thrown);
      this.phase = 'failed';
    }
  }

  async refresh_status(): Promise<void> {
    if (this.phase !== 'open') return;
    try {
      let told: number;
      let status: Status;
      do {
        told = this.#told;
        status = await this.backend.status();
        // What was told meanwhile may be newer than the answer.
      } while (told !== this.#told);
      this.status = status;
    } catch {
      // The bar says that it could not be read; an old count would claim too much.
      this.status = null;
    }
  }

  /** Asks the server now whether it answers, and sends what waits. */
  async try_now(): Promise<void> {
    if (this.phase !== 'open' || this.trying) return;
    this.trying = true;
    try {
      await this.backend.sync_now();
    } catch {
      // The bar says what there is to say.
    } finally {
      await this.refresh_status();
      this.trying = false;
    }
  }

  async sign_in(username: string, password: string): Promise<void> {
    try {
      this.session = await this.backend.sign_in(username, password);
    } catch (thrown) {
      // The password may have opened what waits on this PC, also when nobody is let in.
      void this.refresh_status();
      throw thrown;
    }
    this.revoked = false;
    await this.refresh_status();
  }

  async lock(): Promise<void> {
    this.session = await this.backend.lock_desk();
  }

  async unlock(password: string): Promise<void> {
    this.session = await this.backend.unlock_desk(password);
    await this.refresh_status();
  }

  async sign_out(confirmed: boolean): Promise<void> {
    await this.backend.sign_out(confirmed);
    this.session = null;
    this.synced = null;
    await this.refresh_status();
  }

  async refresh_session(): Promise<void> {
    const operator_id = this.session?.operator.id;
    const session = await this.backend.refresh_session();
    // Whoever was asked about may have signed out meanwhile.
    if (this.session?.operator.id === operator_id) this.session = session;
  }

  async choose_branch(branch_id: string): Promise<void> {
    this.session = await this.backend.choose_branch(branch_id);
  }

  /** Brings back what was set aside. */
  async recover(): Promise<void> {
    if (this.recovering) return;
    this.recovering = true;
    this.recover_error = null;
    try {
      this.recovered = await this.backend.recover_set_aside();
      this.dismiss('OUTBOX_SET_ASIDE');
      await this.refresh_status();
    } catch (thrown) {
      this.recover_error = this.noted(thrown);
    } finally {
      this.recovering = false;
    }
  }

  dismiss(notice: Notice): void {
    this.notices = this.notices.filter((other) => other !== notice);
  }

  /** A command was refused: a session that is gone changes what every screen may show. */
  noted(thrown: unknown): CommandError {
    const error = commandError(thrown);
    if (error.code === 'NOT_SIGNED_IN') this.session = null;
    if (error.code === 'LOCKED' && this.session) this.session = { ...this.session, locked: true };
    if (error.code === 'SESSION_EXPIRED') void this.refresh_status();
    return error;
  }
}
