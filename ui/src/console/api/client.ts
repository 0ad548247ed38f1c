/** The calls of the server, one line each. What an address takes and answers is in `docs/openapi.json`. */
import type { Api, Filters, NewImport, Paging } from './api';
import { allPages } from '../app/all-pages';
import { ApiFailure } from './failure';
import { type Ask, Http, type Sent } from './http';
import { thisBrowser } from './tokens';
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
  Granted,
  ImportJob,
  InviteAccount,
  Me,
  Page,
  PersonAudit,
  RecoveryCodes,
  SecondFactorSecret,
  Verification,
  Verified,
} from './wire';

const ADMIN = '/v1/admin';
/** Rows a page: what is read at a glance, and quickly there. */
const ROWS = 50;
/** Reading the whole chain again takes minutes on a large one. */
const VERIFY_MS = 30 * 60_000;

export class Client implements Api {
  on_ended: (() => void) | null = null;
  readonly #http = new Http(() => this.on_ended?.());

  get username(): string | null {
    return this.#http.tokens.kept?.username ?? null;
  }

  async sign_in(username: string, password: string, otp?: string): Promise<void> {
    const body = { username, password, device: thisBrowser(), ...(otp ? { otp } : {}) };
    const granted = await this.#http.open<Granted>('/v1/sessions', { method: 'POST', body });
    this.#http.tokens.keep({ ...granted, username });
  }

  leave(): void {
    this.#http.leave('/v1/sessions/current');
  }

  forgot_password = (email: string) =>
    this.#http.open<undefined>('/v1/password/forgot', { method: 'POST', body: { email } });
  set_password = (email: string, code: string, password: string) =>
    this.#http.open<undefined>('/v1/password/reset', { method: 'POST', body: { email, code, password } });

  me = () => this.#get<Me>('/v1/me');
  second_factor = () => this.#post<SecondFactorSecret>('/v1/second-factor');
  confirm_second_factor = (otp: string) => this.#post<RecoveryCodes>('/v1/second-factor/confirm', { otp });

  registrations = (filters: Filters, paging?: Paging) =>
    this.#list<AdminRegistration>(`${ADMIN}/registrations`, filters, paging);
  approve_registration = (id: string) => this.#act(`${ADMIN}/registrations/${id}/approve`);
  reject_registration = (id: string, reason: string) =>
    this.#act(`${ADMIN}/registrations/${id}/reject`, { reason });

  requests = (filters: Filters, paging?: Paging) =>
    this.#list<ApplicationRequest>(`${ADMIN}/application-requests`, filters, paging);
  /** The contract has no call for one: it is looked for in the list. */
  request = async (id: string) => {
    const all = await allPages((paging) => this.requests({}, paging));
    const found = all.find((request) => request.id === id);
    if (!found) throw new ApiFailure('NOT_FOUND');
    return found;
  };
  attachment = (id: string) => this.#http.file(`${ADMIN}/application-requests/${id}/attachment`);
  review_request = (id: string) =>
    this.#post<ApplicationRequest>(`${ADMIN}/application-requests/${id}/review`);
  approve_request = (id: string, approval: ApproveApplication) =>
    this.#post<ApplicationRequest>(`${ADMIN}/application-requests/${id}/approve`, approval);
  reject_request = (id: string, rejection: RejectApplication) =>
    this.#post<ApplicationRequest>(`${ADMIN}/application-requests/${id}/reject`, rejection);

  entities = (filters: Filters, paging?: Paging) =>
    this.#list<AdminEntity>(`${ADMIN}/entities`, filters, paging);
  entity = (id: string) => this.#get<AdminEntityDetail>(`${ADMIN}/entities/${id}`);
  create_entity = (entity: CreateEntity) => this.#post<AdminEntityDetail>(`${ADMIN}/entities`, entity);
  change_entity = (id: string, change: ChangeEntity) =>
    this.#send<AdminEntityDetail>('PATCH', `${ADMIN}/entities/${id}`, change);
  create_branch = (entity_id: string, branch: CreateBranch) =>
    this.#post<AdminBranch>(`${ADMIN}/entities/${entity_id}/branches`, branch);
  change_branch = (id: string, change: ChangeBranch) =>
    this.#send<AdminBranch>('PATCH', `${ADMIN}/branches/${id}`, change);
  create_agreement = (entity_id: string, agreement: CreateAgreement) =>
    this.#post<AdminAgreement>(`${ADMIN}/entities/${entity_id}/agreements`, agreement);
  change_agreement = (id: string, agreement: ChangeAgreement) =>
    this.#send<AdminAgreement>('PUT', `${ADMIN}/agreements/${id}`, agreement);

  users = (filters: Filters, paging?: Paging) => this.#list<AdminUser>(`${ADMIN}/users`, filters, paging);
  invite = (account: InviteAccount) => this.#post<AdminUser>(`${ADMIN}/users`, account);
  change_user = (id: string, change: AdminUserChange) =>
    this.#send<AdminUser>('PATCH', `${ADMIN}/users/${id}`, change);
  reset_password = (id: string) => this.#act(`${ADMIN}/users/${id}/reset-password`);
  reset_second_factor = (id: string) => this.#act(`${ADMIN}/users/${id}/reset-second-factor`);

  devices = (filters: Filters, paging?: Paging) =>
    this.#list<AdminDevice>(`${ADMIN}/devices`, filters, paging);
  revoke_device = (id: string) => this.#act(`${ADMIN}/devices/${id}/revoke`);
  restore_device = (id: string) => this.#act(`${ADMIN}/devices/${id}/restore`);

  imports = (paging?: Paging) => this.#list<ImportJob>(`${ADMIN}/imports`, {}, paging);
  import = (id: string) => this.#get<ImportJob>(`${ADMIN}/imports/${id}`);
  begin_import = (
    { id, mode, dry_run, file }: NewImport,
    signal: AbortSignal,
    onprogress: (sent: Sent) => void,
  ) =>
    this.#http.upload<ImportJob>(`${ADMIN}/imports`, {
      query: { id, mode, dry_run, file_name: file.name },
      file,
      headers: { 'content-type': 'text/csv' },
      signal,
      onprogress,
    });
  cancel_import = (id: string) => this.#post<ImportJob>(`${ADMIN}/imports/${id}/cancel`);
  rejected_lines = (id: string) => this.#http.file(`${ADMIN}/imports/${id}/rejected`);

  usage = (from: string, to: string, signal?: AbortSignal) =>
    this.#http.call<AdminUsage>(`${ADMIN}/usage`, { query: { from, to }, signal });

  /** Anybody may ask: the session is none of it. */
  verify = (code: string) => this.#http.open<Verified>(`/v1/verify/${encodeURIComponent(code)}`, {});

  audit_search = (document: Document, purpose: string, { after, limit = ROWS, signal }: Paging = {}) =>
    this.#http.call<PersonAudit>(`${ADMIN}/audit/search`, {
      method: 'POST',
      body: { document, purpose, limit, ...(after ? { after } : {}) },
      signal,
    });
  audit_export = (document: Document, purpose: string) =>
    this.#http.file(`${ADMIN}/audit/export`, { method: 'POST', body: { document, purpose } });
  audit_verify = (anchor: string | null, signal?: AbortSignal) =>
    this.#http.call<Verification>(`${ADMIN}/audit/verify`, {
      method: 'POST',
      body: anchor ? { anchor } : {},
      timeout_ms: VERIFY_MS,
      signal,
    });

  keys = () => this.#get<AdminKey[]>(`${ADMIN}/keys`);
  rotate_keys = () => this.#post<AdminKey[]>(`${ADMIN}/keys/rotate`);

  #get<Answer>(path: string): Promise<Answer> {
    return this.#http.call<Answer>(path);
  }

  #post<Answer>(path: string, body?: unknown): Promise<Answer> {
    return this.#send('POST', path, body);
  }

  #send<Answer>(method: NonNullable<Ask['method']>, path: string, body?: unknown): Promise<Answer> {
    return this.#http.call<Answer>(path, { method, body });
  }

  async #act(path: string, body?: unknown): Promise<void> {
    await this.#http.call(path, { method: 'POST', body });
  }

  #list<Row>(
    path: string,
    filters: Filters,
    { after, limit = ROWS, signal }: Paging = {},
  ): Promise<Page<Row>> {
    return this.#http.call<Page<Row>>(path, { query: { ...filters, after, limit }, signal });
  }
}
