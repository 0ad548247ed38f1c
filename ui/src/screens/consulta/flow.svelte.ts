/** Runs the state machine of `consulta.ts`: calls the desk, keeps the clock of the card, drops what came too late. */
import type { Backend, CommandError, Stop } from '../../backend/backend';
import type { DocumentKind } from '../../bindings/DocumentKind';
import type { RecentLookup } from '../../bindings/RecentLookup';
import type { Voided } from '../../bindings/Voided';
import { commandError } from '../../errors';
import { EMPTY, type Event, next, remaining_ms, SLOW_AFTER_MS, type State } from './consulta';

const TICK_MS = 1000;

export class LookupFlow {
  state = $state.raw<State>(EMPTY);
  recent = $state.raw<RecentLookup[]>([]);
  kind = $state<DocumentKind>('CC');
  /** What stands in the field. */
  number = $state('');
  now_ms = $state(Date.now());

  readonly #backend: Backend;
  readonly #noted: (thrown: unknown) => CommandError;
  #requests = 0;

  /** `noted` is told of every refusal: some concern more than this screen. */
  constructor(backend: Backend, noted: (thrown: unknown) => CommandError = commandError) {
    this.#backend = backend;
    this.#noted = noted;
  }

  /** Listens and keeps time until stopped. */
  start(): Stop {
    const stop = this.#backend.on_card((card) => {
      this.#send({ is: 'late', card, now_ms: Date.now() });
      void this.refresh_recent();
    });
    const timer = setInterval(() => this.#tick(), TICK_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  /** Asks about what stands in the field. The same question twice is one question. */
  async consult(): Promise<void> {
    const asked = { kind: this.kind, number: this.number };
    const { state } = this;
    if (state.at === 'asking' && state.asked.kind === asked.kind && state.asked.number === asked.number)
      return;

    this.#requests += 1;
    const request = this.#requests;
    this.#send({ is: 'asked', request, asked });
    const slow = setTimeout(() => this.#send({ is: 'slow', request }), SLOW_AFTER_MS);
    try {
      const card = await this.#backend.lookup(asked.kind, asked.number);
      this.#send({ is: 'answered', request, card, now_ms: Date.now() });
      await this.refresh_recent();
    } catch (thrown) {
      this.#send({ is: 'refused', request, error: this.#noted(thrown) });
    } finally {
      clearTimeout(slow);
    }
  }

  /** The field changed. The card of the person before goes: F2 must never report somebody else's use. */
  type(number: string, replaced_all: boolean): void {
    this.number = number;
    if (this.state.at === 'empty') return;
    if (replaced_all && this.state.at === 'card') this.kind = 'CC';
    this.#forget();
  }

  choose(kind: DocumentKind): void {
    this.kind = kind;
    if (this.state.at !== 'empty') this.#forget();
  }

  /** Escape: first out of the question about a second use, then out of the card. */
  escape(): void {
    if (this.state.at === 'card' && this.state.report.at === 'confirming')
      this.#send({ is: 'again_declined' });
    else this.clear();
  }

  /** Back to the beginning: no card, no number, the usual kind. */
  clear(): void {
    this.number = '';
    this.kind = 'CC';
    this.#forget();
  }

  report(): Promise<void> {
    return this.#report('report_pressed');
  }

  report_again(): Promise<void> {
    return this.#report('again_pressed');
  }

  decline(): void {
    this.#send({ is: 'again_declined' });
  }

  /** A use was taken back, here or in the report. */
  voided(report_id: string, voided: Voided): void {
    this.#send({ is: 'voided', report_id, voided });
    void this.refresh_recent();
  }

  /** The list under the card. It is a convenience: when it cannot be read the old one stays. */
  async refresh_recent(): Promise<void> {
    try {
      this.recent = await this.#backend.recent_lookups();
    } catch {
      return;
    }
  }

  async #report(is: 'report_pressed' | 'again_pressed'): Promise<void> {
    const before = this.state;
    this.#send({ is });
    if (this.state === before || this.state.at !== 'card' || this.state.report.at !== 'saving') return;
    const { lookup_id } = this.state.card;
    try {
      this.#send({ is: 'saved', card: await this.#backend.report_use(lookup_id, this.state.report.again) });
      await this.refresh_recent();
    } catch (thrown) {
      this.#send({ is: 'not_saved', lookup_id, error: this.#noted(thrown) });
    }
  }

  #tick(): void {
    const before_ms = this.now_ms;
    this.now_ms = Date.now();
    // A clock put back would keep a person's data on the screen for as long.
    if (this.now_ms < before_ms || remaining_ms(this.state, this.now_ms) === 0) this.clear();
  }

  #forget(): void {
    if (this.state.at === 'empty') return;
    this.#send({ is: 'cleared' });
    // Best effort: what arrives late for a card that is gone is dropped here as well.
    this.#backend.clear_card().catch(() => undefined);
  }

  #send(event: Event): void {
    this.now_ms = Date.now();
    this.state = next(this.state, event);
  }
}
