/**
 * An invented server in memory, for tests and pictures. From the address: `?as=clara` is signed in, `&empty` has nothing,
 * `&latency=800`, `&fail=devices:UNAVAILABLE`. In the browser's console it is `hanna`. Never part of the shipped bundle.
 */
import type { Api, Filters, NewImport, Paging } from './api';
import { ApiFailure } from './failure';
import type { Sent } from './http';
import {
  agreementsOf,
  branchesOf,
  consulted,
  devices,
  ENTITIES,
  hoursAgo,
  imports,
  keys,
  ME,
  registrations,
  REJECTED,
  requests,
  usage,
  users,
} from './mock/data';
import { verified } from './mock/verified';
import type {
  Access,
  AdminBranch,
  AdminEntityDetail,
  AdminUser,
  AdminUserChange,
  ApplicationRequest,
  ApplicationState,
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
  InviteAccount,
  Me,
  Page,
} from './wire';

/** What can be turned while it runs. */
export interface Controls {
  /** How long every call takes. */
  latency_ms: number;
  /** These calls are refused. */
  fail: Partial<Record<keyof Api, string>>;
  /** There is nothing of anything. */
  empty: boolean;
  /** The account has no second factor yet. */
  to_set_up: boolean;
  /** How many steps an import takes from call to call. */
  import_steps: number;
  /** Somebody changed the record. */
  tampered: boolean;
}

export const PASSWORD = 'consola segura';
export const OTP = '123456';
const LARGE = 94_371_840;

export class MockApi implements Api {
  on_ended: (() => void) | null = null;
  username: string | null = null;
  readonly controls: Controls;
  #me: Me = ME;
  #registrations = registrations();
  #requests = requests();
  #users = users();
  #devices = devices();
  #imports = imports();
  #keys = keys();
  #entities: AdminEntityDetail[];
  #accesses: Access[] = [];
  /** Every call there was. */
  readonly asked: string[] = [];

  constructor(controls: Partial<Controls> = {}) {
    this.controls = {
      latency_ms: 60,
      fail: {},
      empty: false,
      to_set_up: false,
      import_steps: 4,
      tampered: false,
      ...controls,
    };
    this.#entities = ENTITIES.map((entity, number) => {
      const branches = branchesOf(number);
      return { entity, branches, agreements: agreementsOf(number, branches) };
    });
    if (this.controls.empty) {
      this.#registrations = [];
      this.#requests = [];
      this.#devices = [];
      this.#imports = [];
      this.#entities = [];
      this.#users = [];
    }
  }

  /** As if this person had signed in before. */
  resume(username: string): this {
    this.username = username;
    return this;
  }

  /** The server takes the session back. */
  end_session(): void {
    this.username = null;
    this.on_ended?.();
  }

  sign_in = (username: string, password: string, otp?: string) =>
    this.#run('sign_in', () => {
      if (password !== PASSWORD) throw new ApiFailure('WRONG_CREDENTIALS');
      if (username === 'ana@gymcaribe.co') {
        this.#me = { ...ME, roles: ['OPERATOR'], second_factor: 'NOT_NEEDED' };
      } else if (this.controls.to_set_up) {
        this.#me = { ...ME, second_factor: 'TO_SET_UP' };
      } else {
        if (!otp) throw new ApiFailure('SECOND_FACTOR_REQUIRED');
        if (otp !== OTP) throw new ApiFailure('CODE_WRONG');
        this.#me = ME;
      }
      this.username = username;
    });

  leave(): void {
    this.asked.push('leave');
    this.username = null;
  }

  forgot_password = () => this.#run('forgot_password', () => undefined);
  set_password = (_email: string, code: string) =>
    this.#run('set_password', () => {
      if (code !== OTP) throw new ApiFailure('CODE_WRONG');
    });
  me = () => this.#run('me', () => this.#me);
  second_factor = () =>
    this.#run('second_factor', () => ({
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      otpauth_uri:
        'otpauth://totp/Hanna%20Convenios:clara%40caja.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hanna%20Convenios',
    }));
  confirm_second_factor = (otp: string) =>
    this.#run('confirm_second_factor', () => {
      if (otp !== OTP) throw new ApiFailure('CODE_WRONG');
      this.#me = ME;
      return {
        recovery_codes: Array.from(
          { length: 10 },
          (_, number) => `K3QW${'ABCDEFGHIJ'[number]}-7MPL${(number % 6) + 2}`,
        ),
      };
    });

  registrations = ({ q, state }: Filters, paging?: Paging) =>
    this.#list(
      'registrations',
      paging,
      this.#registrations.filter(
        (one) =>
          (state ? one.state === state : one.state !== 'UNCONFIRMED') &&
          matches(q, one.display_name, one.email, one.entity_name, one.nit),
      ),
    );
  approve_registration = (wanted: string) => this.#decide(wanted, 'approve_registration', 'APPROVED', null);
  reject_registration = (wanted: string, reason: string) =>
    this.#decide(wanted, 'reject_registration', 'REJECTED', reason);

  requests = ({ q, state }: Filters, paging?: Paging) =>
    this.#list(
      'requests',
      paging,
      this.#requests.filter(
        (one) => (!state || one.state === state) && matches(q, one.entity.name, one.entity.nit),
      ),
    );
  request = (wanted: string) => this.#run('request', () => one(this.#requests, wanted));
  attachment = () => this.#run('attachment', () => picture());
  review_request = (wanted: string) => this.#move(wanted, 'review_request', 'IN_REVIEW', null);
  approve_request = (wanted: string, { branches }: ApproveApplication) => {
    if (branches.some(({ code }) => code === 'GYM-01'))
      return this.#run('approve_request', (): ApplicationRequest => {
        throw new ApiFailure('BRANCH_CODE_TAKEN');
      });
    return this.#move(wanted, 'approve_request', 'APPROVED', null);
  };
  reject_request = (wanted: string, { reason }: RejectApplication) =>
    this.#move(wanted, 'reject_request', 'REJECTED', reason);

  entities = ({ q }: Filters, paging?: Paging) =>
    this.#list(
      'entities',
      paging,
      this.#entities.map(({ entity }) => entity).filter(({ name, nit }) => matches(q, name, nit)),
    );
  entity = (wanted: string) => this.#run('entity', () => this.#entity(wanted));
  create_entity = ({ id: entity_id, nit, name }: CreateEntity) =>
    this.#run('create_entity', () => {
      if (this.#entities.some(({ entity }) => entity.nit === nit)) throw new ApiFailure('NIT_TAKEN');
      const entity = {
        id: entity_id,
        nit,
        name,
        application: 'NOT_REQUESTED' as const,
        branches: 0,
        agreements_in_force: 0,
        users: 0,
      };
      const detail = { entity, branches: [], agreements: [] };
      this.#entities.push(detail);
      return detail;
    });
  change_entity = (wanted: string, { name }: ChangeEntity) =>
    this.#run('change_entity', () => {
      const detail = this.#entity(wanted);
      this.#put({ ...detail, entity: { ...detail.entity, name: name ?? detail.entity.name } });
      return this.#entity(wanted);
    });
  create_branch = (entity_id: string, { id: branch_id, code, name, city }: CreateBranch) =>
    this.#run('create_branch', () => {
      const detail = this.#entity(entity_id);
      const branch: AdminBranch = {
        id: branch_id,
        code: code ?? `NUEVA-${detail.branches.length + 1}`,
        name,
        city,
        closed_at: null,
      };
      if (this.#entities.some(({ branches }) => branches.some((other) => other.code === branch.code)))
        throw new ApiFailure('BRANCH_CODE_TAKEN');
      this.#put({ ...detail, branches: [...detail.branches, branch] });
      return branch;
    });
  change_branch = (wanted: string, { name, city, closed }: ChangeBranch) =>
    this.#run('change_branch', () => {
      const detail = this.#entities.find(({ branches }) => branches.some((branch) => branch.id === wanted));
      if (!detail) throw new ApiFailure('NOT_FOUND');
      const before = one(detail.branches, wanted);
      const closed_at = closed === undefined ? before.closed_at : closed ? hoursAgo(0) : null;
      const branch = { ...before, name: name ?? before.name, city: city ?? before.city, closed_at };
      this.#put({
        ...detail,
        branches: detail.branches.map((other) => (other.id === wanted ? branch : other)),
      });
      return branch;
    });
  create_agreement = (entity_id: string, { id: agreement_id, terms, branches }: CreateAgreement) =>
    this.#run('create_agreement', () => {
      const detail = this.#entity(entity_id);
      const agreement = { id: agreement_id, terms, branches };
      this.#put({ ...detail, agreements: [agreement, ...detail.agreements] });
      return agreement;
    });
  change_agreement = (wanted: string, change: ChangeAgreement) =>
    this.#run('change_agreement', () => {
      const detail = this.#entities.find(({ agreements }) => agreements.some((other) => other.id === wanted));
      if (!detail) throw new ApiFailure('NOT_FOUND');
      const agreement = { id: wanted, ...change };
      this.#put({
        ...detail,
        agreements: detail.agreements.map((other) => (other.id === wanted ? agreement : other)),
      });
      return agreement;
    });

  users = ({ q, role, state, entity_id }: Filters, paging?: Paging) =>
    this.#list(
      'users',
      paging,
      this.#users.filter(
        (user) =>
          matches(q, user.display_name, user.username, user.entity?.name ?? '') &&
          (!role || user.roles.some((own) => own === role)) &&
          (!state || user.state === state) &&
          (!entity_id || user.entity?.id === entity_id),
      ),
    );
  invite = ({ id: user_id, entity_id, display_name, email, roles }: InviteAccount) =>
    this.#run('invite', () => {
      if (this.#users.some(({ username }) => username === email)) throw new ApiFailure('USERNAME_TAKEN');
      const entity = entity_id ? this.#entity(entity_id).entity : null;
      const user: AdminUser = {
        id: user_id,
        username: email,
        display_name,
        entity,
        state: 'INVITED',
        roles,
        branches: [],
        second_factor: entity ? 'NOT_NEEDED' : 'TO_SET_UP',
        last_sign_in_at: null,
      };
      this.#users.unshift(user);
      return user;
    });
  change_user = (wanted: string, { display_name, state, roles }: AdminUserChange) =>
    this.#run('change_user', () => {
      const before = one(this.#users, wanted);
      const user = {
        ...before,
        display_name: display_name ?? before.display_name,
        state: state ?? before.state,
        roles: roles ?? before.roles,
      };
      this.#users = this.#users.map((other) => (other.id === wanted ? user : other));
      return user;
    });
  reset_password = () => this.#run('reset_password', () => undefined);
  reset_second_factor = () => this.#run('reset_second_factor', () => undefined);

  devices = ({ q }: Filters, paging?: Paging) =>
    this.#list(
      'devices',
      paging,
      this.#devices.filter(({ name, entity, last_operator }) =>
        matches(q, name, entity?.name ?? '', last_operator ?? ''),
      ),
    );
  revoke_device = (wanted: string) => this.#trust('revoke_device', wanted, hoursAgo(0));
  restore_device = (wanted: string) => this.#trust('restore_device', wanted, null);

  imports = (paging?: Paging) => this.#list('imports', paging, this.#imports);
  import = (wanted: string) =>
    this.#run('import', () => {
      const job = one(this.#imports, wanted);
      if (job.state !== 'RUNNING') return job;
      const bytes_read = Math.min(job.bytes, job.bytes_read + job.bytes / this.controls.import_steps);
      return this.#put_import(
        job.bytes_read < job.bytes
          ? { ...job, bytes_read, lines: Math.floor(bytes_read / 94) }
          : job.file_name?.includes('mal')
            ? { ...job, state: 'REFUSED', rejected: 3, ended_at: hoursAgo(0) }
            : {
                ...job,
                state: 'DONE',
                counts: { added: 1200, updated: 998_800, removed: 0 },
                ended_at: hoursAgo(0),
              },
      );
    });
  begin_import = async (
    { id: import_id, mode, dry_run, file }: NewImport,
    signal: AbortSignal,
    onprogress: (sent: Sent) => void,
  ) => {
    for (let step = 1; step <= 4; step += 1) {
      onprogress({ sent_bytes: (file.size * step) / 4, total_bytes: file.size });
      await this.#run('begin_import', () => undefined);
      if (signal.aborted) throw new DOMException('given up', 'AbortError');
    }
    const job: ImportJob = {
      id: import_id,
      state: 'RUNNING',
      mode,
      dry_run,
      file_name: file.name,
      bytes: LARGE,
      bytes_read: 0,
      lines: 0,
      rejected: 0,
      reason: null,
      counts: null,
      began_at: hoursAgo(0),
      ended_at: null,
      by: ME.operator.display_name,
    };
    this.#imports = [job, ...this.#imports];
    return job;
  };
  cancel_import = (wanted: string) =>
    this.#run('cancel_import', () =>
      this.#put_import({ ...one(this.#imports, wanted), state: 'CANCELLED', ended_at: hoursAgo(0) }),
    );
  rejected_lines = () => this.#run('rejected_lines', () => new Blob([REJECTED], { type: 'text/csv' }));

  usage = (from: string, to: string) =>
    this.#run('usage', () => ({ from, to, items: this.controls.empty ? [] : usage() }));

  verify = (code: string) => this.#run('verify', () => verified(code));

  audit_search = ({ number }: Document, purpose: string, paging?: Paging) => {
    const name = ME.operator.display_name;
    const access = { act: 'PERSON_SEARCHED' as const, account_name: name, by: null, purpose };
    this.#accesses = [{ at: hoursAgo(0), ...access }, ...this.#accesses];
    return this.#list('audit_search', paging, number.startsWith('999') ? [] : consulted()).then((page) => ({
      ...page,
      accesses: this.#accesses,
      kept_from: '2016-11-22T05:00:00Z',
    }));
  };
  audit_export = (document: Document) =>
    this.#run('audit_export', () => new Blob([JSON.stringify({ document })], { type: 'application/json' }));
  audit_verify = () =>
    this.#run('audit_verify', () => ({
      blocks: 1204,
      sealed: 58_211,
      unsealed: 2,
      purged: { acts: 3_120, kept_from: '2016-11-22T05:00:00Z' },
      anchor: `1204:${'9f3c'.repeat(16)}`,
      findings: this.controls.tampered
        ? ['El acto 5120 (LOOKUP), o lo que registra, fue cambiado.', 'Falta el bloque 88.']
        : [],
      findings_total: this.controls.tampered ? 2 : 0,
    }));

  keys = () => this.#run('keys', () => this.#keys);
  rotate_keys = () =>
    this.#run('rotate_keys', () => {
      const made = {
        kid: 'k-2026-11-b',
        not_before: hoursAgo(0),
        not_after: hoursAgo(-24 * 90),
        signs: true,
      };
      this.#keys = [made, ...this.#keys.map((key) => ({ ...key, signs: false }))];
      return this.#keys;
    });

  async #run<Answer>(name: keyof Api, answer: () => Answer | Promise<Answer>): Promise<Answer> {
    this.asked.push(name);
    await new Promise((resolve) => setTimeout(resolve, this.controls.latency_ms));
    const code = this.controls.fail[name];
    if (code) throw new ApiFailure(code, { trace_id: '4bf92f3577b34da6' });
    return answer();
  }

  #list<Row>(name: keyof Api, { after, limit = 50 }: Paging = {}, rows: Row[]): Promise<Page<Row>> {
    return this.#run(name, () => {
      const from = Number(after ?? 0);
      const items = rows.slice(from, from + limit);
      return { items, next: from + limit < rows.length ? String(from + limit) : null };
    });
  }

  #decide(
    wanted: string,
    name: keyof Api,
    state: 'APPROVED' | 'REJECTED',
    reason: string | null,
  ): Promise<void> {
    return this.#run(name, () => {
      this.#registrations = this.#registrations.map((other) =>
        other.id === wanted ? { ...other, state, reason } : other,
      );
    });
  }

  #move(
    wanted: string,
    name: keyof Api,
    state: ApplicationState,
    reason: string | null,
  ): Promise<ApplicationRequest> {
    return this.#run(name, () => {
      const before = one(this.#requests, wanted);
      const event = {
        at: hoursAgo(0),
        state,
        revision: before.revision,
        reason,
        by: ME.operator.display_name,
      };
      const request = { ...before, state, history: [...before.history, event] };
      this.#requests = this.#requests.map((other) => (other.id === wanted ? request : other));
      return request;
    });
  }

  #trust(name: keyof Api, wanted: string, revoked_at: string | null): Promise<void> {
    return this.#run(name, () => {
      this.#devices = this.#devices.map((other) => (other.id === wanted ? { ...other, revoked_at } : other));
    });
  }

  #entity(wanted: string): AdminEntityDetail {
    const detail = this.#entities.find(({ entity }) => entity.id === wanted);
    if (!detail) throw new ApiFailure('NOT_FOUND');
    return detail;
  }

  #put(detail: AdminEntityDetail): void {
    this.#entities = this.#entities.map((other) => (other.entity.id === detail.entity.id ? detail : other));
  }

  #put_import(job: ImportJob): ImportJob {
    this.#imports = this.#imports.map((other) => (other.id === job.id ? job : other));
    return job;
  }
}

/** What the address asks for. */
export function mockFromAddress(): MockApi {
  const query = new URLSearchParams(location.search);
  const fail = Object.fromEntries((query.get('fail') ?? '').split(',').map((one) => one.split(':')));
  const api = new MockApi({
    fail: query.has('fail') ? fail : {},
    empty: query.has('empty'),
    to_set_up: query.has('to-set-up'),
    tampered: query.has('tampered'),
    latency_ms: Number(query.get('latency') ?? 60),
    import_steps: Number(query.get('steps') ?? 4),
  });
  if (query.has('as')) api.resume(ME.operator.username);
  Object.assign(window, { hanna: api });
  return api;
}

function matches(q: string | undefined, ...texts: string[]): boolean {
  const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  return !q || texts.some((text) => plain(text).includes(plain(q)));
}

function one<Thing extends { id: string }>(things: Thing[], wanted: string): Thing {
  const found = things.find((thing) => thing.id === wanted);
  if (!found) throw new ApiFailure('NOT_FOUND');
  return found;
}

/** A small picture, as somebody might have scanned it. */
function picture(): Promise<Blob> | Blob {
  const canvas = document.createElement('canvas');
  canvas.width = 480;
  canvas.height = 300;
  const paint = canvas.getContext('2d');
  if (!paint) return new Blob([]);
  paint.fillStyle = 'white';
  paint.fillRect(0, 0, 480, 300);
  paint.fillStyle = 'black';
  for (let line = 0; line < 10; line += 1) paint.fillRect(40, 40 + line * 24, 400 - (line % 3) * 60, 8);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? new Blob([])), 'image/png'));
}
