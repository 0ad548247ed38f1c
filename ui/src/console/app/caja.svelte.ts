/**
 * Who of the caja is signed in, what was said last, and the calls: what every screen of the console is given. It is of one
 * person: whoever comes next has another one, and what is answered late to who has left is said to nobody.
 */
import type { Api } from '../api/api';
import { ApiFailure, failureOf } from '../api/failure';
import type { Me } from '../api/wire';
import type { Router } from './router.svelte';

/**
 * `opening`: the session of this tab is asked about. `set-up`: the password was right, and there is no second factor yet.
 * `failed`: the server could not be asked.
 */
export type Phase = 'opening' | 'signed-out' | 'set-up' | 'in' | 'failed';

/** How long something that was done stays said. */
const SAID_MS = 10_000;

export class Caja {
  phase = $state<Phase>('opening');
  me = $state.raw<Me | null>(null);
  error = $state.raw<ApiFailure | null>(null);
  /** The session ended in the middle of the work: the page stays, and the password is asked for again. */
  ended = $state(false);
  /** How often somebody signed in again: what failed meanwhile is asked for once more. */
  renewed = $state(0);
  said = $state('');
  readonly #left = new AbortController();
  /** Aborted when this person has left. */
  readonly left = this.#left.signal;
  #said_timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly api: Api,
    readonly router: Router,
  ) {
    api.on_ended = () => {
      if (this.phase === 'in') this.ended = true;
      else if (this.phase !== 'opening') this.phase = 'signed-out';
    };
  }

  /** Goes on with the session of this tab, if there is one. */
  async open(): Promise<void> {
    this.phase = 'opening';
    this.error = null;
    if (!this.api.username) {
      this.phase = 'signed-out';
      return;
    }
    try {
      this.#enter(await this.api.me());
    } catch (thrown) {
      const failure = failureOf(thrown);
      this.error = failure.code === 'NOT_SIGNED_IN' ? null : failure;
      this.phase = this.error ? 'failed' : 'signed-out';
    }
  }

  /** NOT_OF_THE_CAJA when the account is none of the caja; SECOND_FACTOR_REQUIRED when `otp` is asked for. */
  async sign_in(username: string, password: string, otp?: string): Promise<void> {
    await this.api.sign_in(username, password, otp);
    const me = await this.api.me().catch((thrown: unknown) => {
      this.api.leave();
      throw thrown;
    });
    if (!me.roles.includes('CAJA_ADMIN')) {
      this.api.leave();
      throw new ApiFailure('NOT_OF_THE_CAJA');
    }
    // Somebody else's page is not gone on with: the next one opens with their session.
    if (this.me && this.me.operator.id !== me.operator.id) return this.#leave();
    this.#enter(me);
    this.renewed += 1;
  }

  /** The second factor is set up: the session is a whole one. */
  async set_up(): Promise<void> {
    this.#enter(await this.api.me());
  }

  /** Waits for nothing: whoever leaves has left. */
  sign_out(): void {
    this.api.leave();
    this.#leave();
  }

  /** Nobody touched the page for long: its session is given back, and the page waits. */
  left_alone(): void {
    if (this.phase !== 'in' || this.ended) return;
    this.api.leave();
    this.ended = true;
  }

  /** What was done, for the eye and for whoever listens. */
  say(text: string): void {
    clearTimeout(this.#said_timer);
    this.said = text;
    this.#said_timer = setTimeout(() => (this.said = ''), SAID_MS);
  }

  unsay(): void {
    clearTimeout(this.#said_timer);
    this.said = '';
  }

  #leave(): void {
    this.router.go('inicio');
    this.#left.abort();
  }

  #enter(me: Me): void {
    this.me = me;
    this.ended = false;
    this.phase = me.second_factor === 'TO_SET_UP' ? 'set-up' : 'in';
  }
}
