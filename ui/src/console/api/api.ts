/** The one door of the console to the world: the server's calls. `client.ts` makes them, `mock.ts` invents them. */
import type { Sent } from './http';
import type {
  AdminAgreement,
  AdminBranch,
  AdminDevice,
  AdminEntity,
  AdminEntityDetail,
  AdminKey,
  AdminRegistration,
  AdminUsage,
  AdminUser,
  AdminUserChange,
  ApplicationRequest,
  ApproveApplication,
  RejectApplication,
  ChangeAgreement,
  ChangeBranch,
  ChangeEntity,
  CreateAgreement,
  CreateBranch,
  CreateEntity,
  Document,
  ImportJob,
  ImportMode,
  InviteAccount,
  Me,
  Page,
  PersonAudit,
  RecoveryCodes,
  SecondFactorSecret,
  Verification,
  Verified,
} from './wire';

/** What a list is asked for: the filters that are set, and where the page before ended. */
export type Filters = Record<string, string | undefined>;

export interface Paging {
  after?: string | undefined;
  limit?: number;
  signal?: AbortSignal | undefined;
}

export interface NewImport {
  id: string;
  mode: ImportMode;
  dry_run: boolean;
  file: File;
}

/** Every method rejects with an `ApiFailure`, or, given up by its signal, with an `AbortError`. */
export interface Api {
  /** Who is signed in in this tab, without asking the server. */
  readonly username: string | null;
  /** Called when the server takes the session back. */
  on_ended: (() => void) | null;

  /** SECOND_FACTOR_REQUIRED when the account has one and `otp` is missing; CODE_WRONG when it is not good. */
  sign_in(username: string, password: string, otp?: string): Promise<void>;
  /** Signs out: the tab forgets its session at once, whatever comes of telling the server. */
  leave(): void;
  me(): Promise<Me>;
  /** Mails a code. Answers alike whether or not there is such an account. */
  forgot_password(email: string): Promise<void>;
  /** CODE_WRONG, CODE_EXPIRED, WEAK_PASSWORD. */
  set_password(email: string, code: string, password: string): Promise<void>;
  second_factor(): Promise<SecondFactorSecret>;
  confirm_second_factor(otp: string): Promise<RecoveryCodes>;

  registrations(filters: Filters, paging?: Paging): Promise<Page<AdminRegistration>>;
  approve_registration(id: string): Promise<void>;
  reject_registration(id: string, reason: string): Promise<void>;

  requests(filters: Filters, paging?: Paging): Promise<Page<ApplicationRequest>>;
  /** NOT_FOUND when there is none. */
  request(id: string): Promise<ApplicationRequest>;
  attachment(request_id: string): Promise<Blob>;
  review_request(id: string): Promise<ApplicationRequest>;
  approve_request(id: string, approval: ApproveApplication): Promise<ApplicationRequest>;
  reject_request(id: string, rejection: RejectApplication): Promise<ApplicationRequest>;

  entities(filters: Filters, paging?: Paging): Promise<Page<AdminEntity>>;
  entity(id: string): Promise<AdminEntityDetail>;
  create_entity(entity: CreateEntity): Promise<AdminEntityDetail>;
  change_entity(id: string, change: ChangeEntity): Promise<AdminEntityDetail>;
  create_branch(entity_id: string, branch: CreateBranch): Promise<AdminBranch>;
  change_branch(id: string, change: ChangeBranch): Promise<AdminBranch>;
  create_agreement(entity_id: string, agreement: CreateAgreement): Promise<AdminAgreement>;
  change_agreement(id: string, agreement: ChangeAgreement): Promise<AdminAgreement>;

  users(filters: Filters, paging?: Paging): Promise<Page<AdminUser>>;
  invite(account: InviteAccount): Promise<AdminUser>;
  change_user(id: string, change: AdminUserChange): Promise<AdminUser>;
  reset_password(user_id: string): Promise<void>;
  reset_second_factor(user_id: string): Promise<void>;

  devices(filters: Filters, paging?: Paging): Promise<Page<AdminDevice>>;
  revoke_device(id: string): Promise<void>;
  restore_device(id: string): Promise<void>;

  imports(paging?: Paging): Promise<Page<ImportJob>>;
  import(id: string): Promise<ImportJob>;
  begin_import(what: NewImport, signal: AbortSignal, onprogress: (sent: Sent) => void): Promise<ImportJob>;
  cancel_import(id: string): Promise<ImportJob>;
  /** `linea;columna;motivo`. */
  rejected_lines(import_id: string): Promise<Blob>;

  usage(from: string, to: string, signal?: AbortSignal): Promise<AdminUsage>;

  /** INVALID for a code with a wrong letter; NOT_FOUND when nothing is on record under it. */
  verify(code: string): Promise<Verified>;

  audit_search(document: Document, purpose: string, paging?: Paging): Promise<PersonAudit>;
  audit_export(document: Document, purpose: string): Promise<Blob>;
  audit_verify(anchor: string | null, signal?: AbortSignal): Promise<Verification>;

  keys(): Promise<AdminKey[]>;
  rotate_keys(): Promise<AdminKey[]>;
}
