/** Runs the report: asks for the uses, saves, opens and prints, and drops answers to questions no longer asked. */
import type { Desk } from '../../app/desk.svelte';
import type { CommandError } from '../../backend/backend';
import type { History } from '../../bindings/History';
import type { HistoryQuery } from '../../bindings/HistoryQuery';
import type { Printer } from '../../bindings/Printer';
import type { PrintJob } from '../../bindings/PrintJob';
import type { SavedReport } from '../../bindings/SavedReport';
import type { Voided } from '../../bindings/Voided';
import { withVoid } from './totals';

/** The dialog over the report. */
export type Print =
  | { at: 'closed' }
  | { at: 'looking' }
  | { at: 'choosing'; printers: Printer[]; chosen: string; error: CommandError | null }
  /** There is nothing to print on: the system's own preview is offered. */
  | { at: 'unavailable'; error: CommandError | null }
  | { at: 'printing'; printers: Printer[]; chosen: string }
  | { at: 'finished'; job: PrintJob };

export class Report {
  history = $state.raw<History | null>(null);
  /** Moves with every answer of the desk; a void changes a row of the same one. */
  answers = $state(0);
  error = $state.raw<CommandError | null>(null);
  loading = $state(false);
  saving = $state<'here' | 'as' | null>(null);
  saved = $state.raw<SavedReport | null>(null);
  print = $state.raw<Print>({ at: 'closed' });

  readonly #desk: Desk;
  #requests = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async load(query: HistoryQuery): Promise<void> {
    this.#requests += 1;
    const request = this.#requests;
    this.loading = true;
    this.error = null;
    this.saved = null;
    try {
      const history = await this.#desk.backend.history(query);
      if (request !== this.#requests) return;
      this.history = history;
      this.answers += 1;
    } catch (thrown) {
      if (request !== this.#requests) return;
      this.history = null;
      this.error = this.#desk.noted(thrown);
    } finally {
      if (request === this.#requests) this.loading = false;
    }
  }

  /** A use of the list was taken back. A file of before still counts it. */
  voided(report_id: string, voided: Voided): void {
    if (this.history) this.history = withVoid(this.history, report_id, voided);
    this.saved = null;
  }

  async save(query: HistoryQuery, where: 'here' | 'as'): Promise<void> {
    if (this.saving !== null) return;
    this.saving = where;
    this.error = null;
    const { backend } = this.#desk;
    try {
      const saved = await (where === 'here' ? backend.save_report(query) : backend.save_report_as(query));
      if (saved) this.saved = saved;
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    } finally {
      this.saving = null;
    }
  }

  async open(path: string): Promise<void> {
    try {
      await this.#desk.backend.open_report(path);
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    }
  }

  async choose_printer(): Promise<void> {
    this.print = { at: 'looking' };
    try {
      const printers = await this.#desk.backend.printers();
      const usual = printers.find(({ is_default }) => is_default) ?? printers[0];
      // Closed meanwhile: it stays closed.
      if (this.print.at !== 'looking') return;
      this.print = usual
        ? { at: 'choosing', printers, chosen: usual.name, error: null }
        : { at: 'unavailable', error: null };
    } catch (thrown) {
      this.print = { at: 'unavailable', error: this.#desk.noted(thrown) };
    }
  }

  pick(chosen: string): void {
    if (this.print.at === 'choosing') this.print = { ...this.print, chosen, error: null };
  }

  async send_to_printer(query: HistoryQuery): Promise<void> {
    if (this.print.at !== 'choosing') return;
    const { printers, chosen } = this.print;
    this.print = { at: 'printing', printers, chosen };
    try {
      this.print = { at: 'finished', job: await this.#desk.backend.print_report(query, chosen) };
    } catch (thrown) {
      this.print = { at: 'choosing', printers, chosen, error: this.#desk.noted(thrown) };
    }
  }

  close_print(): void {
    if (this.print.at !== 'printing') this.print = { at: 'closed' };
  }
}
