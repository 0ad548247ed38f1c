/**
 * The one door of the screens to the world: the desk's commands and events. `tauri.ts` is the real one, `mock.ts` an
 * invented one for development, tests and screenshots.
 */
import type { ApplicationDraft } from '../bindings/ApplicationDraft';
import type { ApplicationForm } from '../bindings/ApplicationForm';
import type { ApplicationRequest } from '../bindings/ApplicationRequest';
import type { Branch } from '../bindings/Branch';
import type { Card } from '../bindings/Card';
import type { ChosenFile } from '../bindings/ChosenFile';
import type { CodeOnItsWay } from '../bindings/CodeOnItsWay';
import type { DocumentKind } from '../bindings/DocumentKind';
import type { EntityUser } from '../bindings/EntityUser';
import type { EntityUsers } from '../bindings/EntityUsers';
import type { ErrorCode } from '../bindings/ErrorCode';
import type { ExportedOutbox } from '../bindings/ExportedOutbox';
import type { History } from '../bindings/History';
import type { HistoryQuery } from '../bindings/HistoryQuery';
import type { InvitationForm } from '../bindings/InvitationForm';
import type { LastSync } from '../bindings/LastSync';
import type { OutboxView } from '../bindings/OutboxView';
import type { PasswordJudged } from '../bindings/PasswordJudged';
import type { PrintJob } from '../bindings/PrintJob';
import type { Printer } from '../bindings/Printer';
import type { RecentLookup } from '../bindings/RecentLookup';
import type { RegistrationForm } from '../bindings/RegistrationForm';
import type { SavedReport } from '../bindings/SavedReport';
import type { Recovered } from '../bindings/Recovered';
import type { Role } from '../bindings/Role';
import type { Session } from '../bindings/Session';
import type { SetState } from '../bindings/SetState';
import type { Start } from '../bindings/Start';
import type { Status } from '../bindings/Status';
import type { UploadProgress } from '../bindings/UploadProgress';
import type { Voided } from '../bindings/Voided';
import type { VoidReason } from '../bindings/VoidReason';

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
  /** What a password is worth; `personal` is what it must not come from. */
  judge_password(password: string, personal: string[]): Promise<PasswordJudged>;
  /** The NIT as entities keep it. NIT_INVALID, NIT_CHECK_DIGIT_MISSING, NIT_CHECK_DIGIT_WRONG. */
  check_nit(text: string): Promise<string>;
  /** EMAIL_INVALID, PHONE_INVALID. */
  check_contact(email: string, phone: string): Promise<void>;
  /** Mails a code. The same form again is the same registration. */
  register(form: RegistrationForm): Promise<CodeOnItsWay>;
  resend_code(id: string): Promise<CodeOnItsWay>;
  /** CODE_WRONG; CODE_EXPIRED when another has to be asked for. */
  confirm_account(id: string, code: string): Promise<void>;
  /** Answers alike whether or not there is such an account. */
  forgot_password(email: string): Promise<CodeOnItsWay>;
  reset_password(email: string, code: string, password: string): Promise<void>;
  change_password(current: string, password: string): Promise<void>;
  /** UNSENT_ITEMS unless `confirmed`. */
  sign_out(confirmed: boolean): Promise<void>;
  /** Nothing is consulted or reported until its operator unlocks the desk, or another one signs in. */
  lock_desk(): Promise<Session>;
  unlock_desk(password: string): Promise<Session>;
  /** Closes the window, whatever waits. */
  close_window(): Promise<void>;
  /** Asks the server again who may do what. */
  refresh_session(): Promise<Session>;
  /** The requests of the own entity, the newest first. */
  application_requests(): Promise<ApplicationRequest[]>;
  /** The draft of before, the rejected request to put right, or an empty form. ALREADY_REQUESTED. */
  begin_application(): Promise<ApplicationDraft>;
  /** Keeps what is filled in on this PC, right or not. */
  keep_application(form: ApplicationForm): Promise<void>;
  /** Puts a file to the draft. ATTACHMENT_TOO_LARGE, ATTACHMENT_KIND; a DOMException when it cannot be read. */
  attach_file(file: File): Promise<ChosenFile>;
  detach_file(): Promise<void>;
  /** Sends the draft; {@link Backend.on_upload} tells how far its file is. */
  send_application(): Promise<ApplicationRequest>;
  /** A page of the people of the own entity; `after` is where the page before ended. */
  entity_users(q: string, after: string | null): Promise<EntityUsers>;
  entity_branches(): Promise<Branch[]>;
  /** EMAIL_INVALID, USERNAME_TAKEN. */
  invite_user(form: InvitationForm): Promise<EntityUser>;
  /** LAST_ADMINISTRATOR. */
  assign_user(id: string, roles: Role[], branches: string[]): Promise<EntityUser>;
  /** LAST_ADMINISTRATOR. */
  set_user_state(id: string, state: SetState): Promise<EntityUser>;
  /** Makes their password worth nothing, and mails how to set another. */
  reset_user(id: string): Promise<void>;
  invite_again(id: string): Promise<void>;
  choose_branch(branch_id: string): Promise<Session>;
  lookup(kind: DocumentKind, number: string): Promise<Card>;
  /** Late answers of the card that was open are dropped. */
  clear_card(): Promise<void>;
  /** ALREADY_USED_TODAY unless `again`. */
  report_use(lookup_id: string, again: boolean): Promise<Card>;
  /** Takes a reported use back; use and void both stay on record. `text` is needed for OTHER, else it may be empty. */
  void_use(report_id: string, reason: VoidReason, text: string): Promise<Voided>;
  recent_lookups(): Promise<RecentLookup[]>;
  outbox(): Promise<OutboxView>;
  retry_item(id: string): Promise<OutboxView>;
  /** Everything that requires attention. */
  retry_all(): Promise<OutboxView>;
  /** Gives an item that requires attention up: it stays on record and is not sent. */
  withdraw_item(id: string, why: string): Promise<OutboxView>;
  /** Everything unsent into a file that only the caja opens; `null` when the person cancelled the system's dialog. */
  export_outbox(): Promise<ExportedOutbox | null>;
  /** Brings back what can be read of an outbox that was set aside. */
  recover_set_aside(): Promise<Recovered>;
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
  /** A late answer that replaces the card of the same lookup, or the same card as its use and the void of that stand now. */
  on_card(listener: (card: Card) => void): Stop;
  /** A delivery of what had waited is over: how it went. */
  on_synced(listener: (sync: LastSync) => void): Stop;
  /** The caja revoked this PC: nobody is signed in any more. */
  on_revoked(listener: () => void): Stop;
  /** A piece more of a file is on its way. */
  on_upload(listener: (progress: UploadProgress) => void): Stop;
  /** The window was asked to close while so many records wait; it stays open until {@link Backend.close_window}. */
  on_closing(listener: (unsent: number) => void): Stop;
}
