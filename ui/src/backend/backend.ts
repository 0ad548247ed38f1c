/**
 * The one door of the screens to the world: the desk's commands and events. `tauri.ts` is the real one, `mock.ts` an
 * invented one for development, tests and screenshots.
 */
import type { Card } from '../bindings/Card';
import type { DocumentKind } from '../bindings/DocumentKind';
import type { ErrorCode } from '../bindings/ErrorCode';
import type { History } from '../bindings/History';
import type { HistoryQuery } from '../bindings/HistoryQuery';
import type { OutboxView } from '../bindings/OutboxView';
import type { PrintJob } from '../bindings/PrintJob';
import type { Printer } from '../bindings/Printer';
import type { RecentLookup } from '../bindings/RecentLookup';
import type { SavedReport } from '../bindings/SavedReport';
import type { Session } from '../bindings/Session';
import type { Start } from '../bindings/Start';
import type { Status } from '../bindings/Status';

/** Why a command was refused. Screens switch on the code; the sentence is the catalogue's. */
export interface CommandError {
  code: ErrorCode;
  params: Record<string, string | number>;
}

/** Stops listening. */
export type Stop = () => void;

/** Every method rejects with a {@link CommandError}. */
export interface Backend {
  start(): Promise<Start>;
  sign_in(username: string, password: string): Promise<Session>;
  /** UNSENT_ITEMS unless `confirmed`. */
  sign_out(confirmed: boolean): Promise<void>;
  /** Asks the server again who may do what. */
  refresh_session(): Promise<Session>;
  choose_branch(branch_id: string): Promise<Session>;
  lookup(kind: DocumentKind, number: string): Promise<Card>;
  /** Late answers of the card that was open are dropped. */
  clear_card(): Promise<void>;
  /** ALREADY_USED_TODAY unless `again`. */
  report_use(lookup_id: string, again: boolean): Promise<Card>;
  recent_lookups(): Promise<RecentLookup[]>;
  outbox(): Promise<OutboxView>;
  retry_item(id: string): Promise<OutboxView>;
  sync_now(): Promise<Status>;
  status(): Promise<Status>;
  history(query: HistoryQuery): Promise<History>;
  save_report(query: HistoryQuery): Promise<SavedReport>;
  /** `null` when the person cancelled the system's dialog. */
  save_report_as(query: HistoryQuery): Promise<SavedReport | null>;
  /** Only paths the program itself wrote. */
  open_report(path: string): Promise<void>;
  printers(): Promise<Printer[]>;
  print_report(query: HistoryQuery, printer: string): Promise<PrintJob>;

  on_status(listener: (status: Status) => void): Stop;
  /** A late answer that replaces the card of the same lookup. */
  on_card(listener: (card: Card) => void): Stop;
}
