/**
 * An invented desk in memory, for `npm run dev`, tests and screenshots. It can be taken offline, slowed down and made to
 * fail: from the address (`?as=ana&sede=GYM-01&offline&latency=800&fail=history:SERVER_FAILED`), or in the browser's
 * console through `hanna`. Never part of the shipped bundle.
 */
import type { Card } from '../bindings/Card';
import type { DocumentKind } from '../bindings/DocumentKind';
import type { ExportedOutbox } from '../bindings/ExportedOutbox';
import type { HistoryQuery } from '../bindings/HistoryQuery';
import type { HistoryRow } from '../bindings/HistoryRow';
import type { LastSync } from '../bindings/LastSync';
import type { Notice } from '../bindings/Notice';
import type { ItemCode } from '../bindings/ItemCode';
import type { PrintState } from '../bindings/PrintState';
import type { Reason } from '../bindings/Reason';
import type { PendingRegistration } from '../bindings/PendingRegistration';
import type { RecentLookup } from '../bindings/RecentLookup';
import type { Recovered } from '../bindings/Recovered';
import type { RegistrationForm } from '../bindings/RegistrationForm';
import type { Session } from '../bindings/Session';
import type { Status } from '../bindings/Status';
import type { Voided } from '../bindings/Voided';
import type { VoidReason } from '../bindings/VoidReason';
import { maskDocument } from '../format';
import { reasonProblem } from '../reason';
import type { Backend, Stop } from './backend';
import { Administration } from './mock/administration';
import { type Command, type Controls, refuse, subscribe, wait } from './mock/desk';
import { totalsOf } from './mock/history';
import { CODE, checkContact, checkNit, judgePassword } from './mock/accounts';
import { type Account, ACCOUNTS, FIXERS, PASSWORD, PEOPLE } from './mock/people';
import { Records } from './mock/records';

const ANSWER_WAIT_MS = 3000;
const SEND_MS = 700;
const HOUR_MS = 3_600_000;
const COPY_VALID_MS = 24 * HOUR_MS;
const DAY_MS = 24 * HOUR_MS;
/** Consulted here some hours ago: there is a copy. */
const COPIES_OF_BEFORE = ['1045678901', '22543312', '1143000111'];

export class MockBackend extends Administration implements Backend {
  readonly controls: Controls;
  #account: Account | null = null;
  #branch_id: string | null = null;
  #card: { card: Card; asked_ms: number } | null = null;
  #copies = new Map<string, number>();
  #recent: RecentLookup[] = [];
  readonly #records: Records;
  /** The lookup each use was reported on. */
  #lookups_of_reports = new Map<string, string>();
  #last_sync_ms: number | null = null;
  #ids = 0;
  #status_listeners = new Set<(status: Status) => void>();
  #card_listeners = new Set<(card: Card) => void>();
  #synced_listeners = new Set<(sync: LastSync) => void>();
  #revoked_listeners = new Set<() => void>();
  #closing_listeners = new Set<(unsent: number) => void>();
  #locked = false;
  #registration: PendingRegistration | null = null;
  closed = false;

  constructor(controls: Partial<Controls> = {}) {
    super();
    this.controls = {
      online: true,
      minimum_version: null,
      latency_ms: 60,
      server_ms: 60,
      fail: {},
      sign_in_needed: false,
      notices: [],
      printers: ['HP-LaserJet-Recepcion', 'PDF'],
      print_state: 'queued',
      history: 730,
      alone: false,
      ...controls,
    };
    for (const number of COPIES_OF_BEFORE) this.#copies.set(number, Date.now() - 5 * HOUR_MS);
    this.#records = new Records(this.controls.history);
  }

  /** As if this person had signed in before, and chosen this sede. */
  resume(username: string, branch_code?: string): this {
    this.#account = account_of(username);
    this.#branch_id = this.#account?.branches.find(({ code }) => code === branch_code)?.id ?? null;
    this.#last_sync_ms = Date.now() - 4000;
    return this;
  }

  /** The server serves no desk before this version; `null`: it serves them all. */
  set_minimum(version: string | null): void {
    this.controls.minimum_version = version;
    this.set_online(version === null);
  }

  /** The network goes or comes back. */
  set_online(online: boolean): void {
    this.controls.online = online;
    this.#tell_status();
    if (online) void this.#deliver();
  }

  /** The server refuses what is waiting. */
  refuse_items(code: ItemCode | null = 'STATEMENT_NOT_VALID'): void {
    this.#records.refuse(code);
    this.#follow_use();
    this.#tell_status();
  }

  start = () =>
    this.run('start', () => ({
      session: this.#session_or_null(),
      notices: this.controls.notices,
      version: '0.1.0',
      server: 'https://hanna.example.org',
      registration: this.#registration,
    }));

  sign_in = (username: string, password: string) =>
    this.run('sign_in', () => {
      if (!this.controls.online) return refuse('SERVER_UNREACHABLE');
      const account = account_of(username);
      if (!account || password !== PASSWORD) return refuse('WRONG_CREDENTIALS');
      if (account.operator.id !== this.#account?.operator.id) this.#branch_id = null;
      this.#account = account;
      this.#locked = false;
      this.controls.sign_in_needed = false;
      this.#last_sync_ms = Date.now();
      return this.#session();
    });

  judge_password = (password: string, personal: string[]) =>
    this.run('judge_password', () => judgePassword(password, personal));

  check_nit = (text: string) =>
    this.run('check_nit', () => checkNit(text) ?? refuse('NIT_CHECK_DIGIT_WRONG'));

  check_contact = (email: string, phone: string) =>
    this.run('check_contact', () => {
      const fault = checkContact(email, phone);
      if (fault) refuse(fault);
    });

  register = (form: RegistrationForm) =>
    this.run('register', () => {
      this.reach();
      this.#registration = { id: this.id(), email: form.email };
      return { registration_id: this.#registration.id, expires_in_s: 1800, again_in_s: 60 };
    });

  resend_code = (id: string) =>
    this.run('resend_code', () => {
      this.reach();
      return { registration_id: id, expires_in_s: 1800, again_in_s: 60 };
    });

  confirm_account = (_: string, code: string) =>
    this.run('confirm_account', () => {
      this.reach();
      if (code !== CODE) refuse('CODE_WRONG');
      this.#registration = null;
    });

  forgot_password = () =>
    this.run('forgot_password', () => {
      this.reach();
      return { registration_id: null, expires_in_s: 1800, again_in_s: 60 };
    });

  reset_password = (_: string, code: string, password: string) =>
    this.run('reset_password', () => {
      this.reach();
      if (judgePassword(password, []).weakness) refuse('WEAK_PASSWORD');
      if (code !== CODE) refuse('CODE_WRONG');
    });

  change_password = (current: string, password: string) =>
    this.run('change_password', () => {
      this.reach();
      if (current !== PASSWORD) refuse('WRONG_CREDENTIALS');
      if (judgePassword(password, []).weakness) refuse('WEAK_PASSWORD');
    });

  protected account(): Account | null {
    return this.#account;
  }

  protected reach(): void {
    if (!this.controls.online) refuse('SERVER_UNREACHABLE');
  }

  sign_out = (confirmed: boolean) =>
    this.run('sign_out', () => {
      const { pending, needs_attention } = this.#records.counts();
      const count = pending + needs_attention;
      if (count > 0 && !confirmed) refuse('UNSENT_ITEMS', { count });
      this.#account = null;
    });

  lock_desk = () =>
    this.run('lock_desk', () => {
      this.#locked = true;
      return this.#session();
    });

  unlock_desk = (password: string) =>
    this.run('unlock_desk', () => {
      if (password !== PASSWORD) return refuse('WRONG_CREDENTIALS');
      this.#locked = false;
      return this.#session();
    });

  close_window = () => this.run('close_window', () => void (this.closed = true));

  /** The caja revokes this PC. */
  revoke(): void {
    this.#account = null;
    this.#revoked_listeners.forEach((listener) => listener());
  }

  /** Somebody closes the window. */
  ask_to_close(): void {
    const { pending, needs_attention } = this.#records.counts();
    this.#closing_listeners.forEach((listener) => listener(pending + needs_attention));
  }

  refresh_session = () =>
    this.run('refresh_session', () =>
      this.controls.online ? this.#session() : refuse('SERVER_UNREACHABLE'),
    );

  choose_branch = (branch_id: string) =>
    this.run('choose_branch', () => {
      if (!this.#session().branches.some(({ id }) => id === branch_id)) refuse('BRANCH_NOT_ALLOWED');
      this.#branch_id = branch_id;
      return this.#session();
    });

  lookup = async (kind: DocumentKind, typed: string): Promise<Card> => {
    const number = this.#canonical(kind, typed);
    const lookup_id = this.id();
    const { online, server_ms } = this.controls;
    await this.run('lookup', () => undefined);
    if (!online) return this.#shown_offline(this.#from_copy(lookup_id, kind, number, this.#cause));
    if (server_ms <= ANSWER_WAIT_MS) {
      await wait(server_ms);
      return this.#shown(this.#from_server(lookup_id, kind, number));
    }
    await wait(ANSWER_WAIT_MS);
    const first = this.#shown_offline(this.#from_copy(lookup_id, kind, number, 'TIMED_OUT'));
    void wait(server_ms - ANSWER_WAIT_MS).then(() => this.#arrive_late(first));
    void this.#deliver();
    return first;
  };

  clear_card = () => this.run('clear_card', () => void (this.#card = null));

  report_use = (lookup_id: string, again: boolean) =>
    this.run('report_use', () => {
      const card = this.#card?.card;
      if (card?.lookup_id !== lookup_id) return refuse('LOOKUP_GONE');
      if (!card.may_report) return refuse('NOT_REPORTABLE');
      if (card.reported) return refuse('ALREADY_REPORTED');
      if (card.used_today.length > 0 && !again) return refuse('ALREADY_USED_TODAY');
      const item = this.#records.report(this.id(), card, this.#scene());
      const reported = { id: item.id, state: item.state, occurred_at: item.occurred_at };
      this.#lookups_of_reports.set(item.id, lookup_id);
      this.#mark(lookup_id, { used: true });
      void this.#deliver();
      return this.#keep({ ...card, reported, may_void: true });
    });

  void_use = (report_id: string, reason: VoidReason, text: string) =>
    this.run('void_use', (): Voided => {
      this.#check_text(text, reason === 'OTHER');
      const why = { reason, text: text.trim() || null };
      const voided = this.#records.void_use(this.id(), report_id, why, this.#scene());
      if (typeof voided === 'string') return refuse(voided);
      this.#mark(this.#lookups_of_reports.get(report_id) ?? '', { used: false });
      this.#follow_use();
      void this.#deliver();
      return voided;
    });

  recent_lookups = () => this.run('recent_lookups', () => this.#recent);

  outbox = () => this.run('outbox', () => this.#records.view());

  retry_item = (id: string) => this.#requeue('retry_item', id);
  retry_all = () => this.#requeue('retry_all', 'all');

  withdraw_item = (id: string, why: string) =>
    this.run('withdraw_item', () => {
      this.#check_text(why, true);
      if (!this.#records.withdraw(id)) refuse('ITEM_NOT_FOUND');
      this.#follow_use();
      this.#tell_status();
      return this.#records.view();
    });

  export_outbox = () =>
    this.run('export_outbox', (): ExportedOutbox => {
      const { pending, needs_attention, lookups } = this.#records.counts();
      const items = pending + needs_attention;
      if (items + lookups === 0) refuse('NOTHING_TO_EXPORT');
      return { path: '/media/memoria/Pendientes RECEPCION-1 2026-11-22.hanna', items, lookups };
    });

  /** As if three records of before could be read. */
  recover_set_aside = () =>
    this.run('recover_set_aside', (): Recovered => {
      this.controls.notices = this.controls.notices.filter((notice) => notice !== 'OUTBOX_SET_ASIDE');
      return { added: 3, already_there: 0, is_damaged: true };
    });

  sync_now = async (): Promise<Status> => {
    await this.run('sync_now', () => undefined);
    await this.#deliver();
    return this.#status();
  };

  status = () => this.run('status', () => this.#status());

  history = (query: HistoryQuery) =>
    this.run('history', () => {
      const { online } = this.controls;
      const rows = this.#rows(query);
      return {
        rows,
        totals: totalsOf(rows),
        complete: online,
        cause: this.#cause,
      };
    });

  save_report = (query: HistoryQuery) =>
    this.run('save_report', () => {
      const rows = this.#rows(query).length;
      const path = `/home/recepcion/Documentos/Reporte de convenio ${query.from} a ${query.to}.pdf`;
      return { path, rows, pages: Math.ceil(rows / 30) };
    });

  save_report_as = (query: HistoryQuery) => this.save_report(query);
  open_report = () => this.run('open_report', () => undefined);
  printers = () =>
    this.run('printers', () =>
      this.controls.printers.map((name, index) => ({ name, is_default: index === 0 })),
    );

  print_report = (_: HistoryQuery, printer: string) =>
    this.run('print_report', () => ({ printer, job: `${printer}-12`, state: this.controls.print_state }));

  on_status = (listener: (status: Status) => void): Stop => subscribe(this.#status_listeners, listener);
  on_card = (listener: (card: Card) => void): Stop => subscribe(this.#card_listeners, listener);
  on_synced = (listener: (sync: LastSync) => void): Stop => subscribe(this.#synced_listeners, listener);
  on_revoked = (listener: () => void): Stop => subscribe(this.#revoked_listeners, listener);
  on_closing = (listener: (unsent: number) => void): Stop => subscribe(this.#closing_listeners, listener);

  protected async run<Answer>(command: Command, answer: () => Answer): Promise<Answer> {
    await wait(this.controls.latency_ms);
    const code = this.controls.fail[command];
    return code ? refuse(code, code === 'SLOW_DOWN' ? { retry_after_s: 30 } : {}) : answer();
  }

  #session_or_null(): Session | null {
    if (!this.#account) return null;
    const { operator, entity, branches, applications, roles = ['OPERATOR'] } = this.#account;
    const branch = branches.find(({ id }) => id === this.#branch_id) ?? null;
    return { operator, entity, roles, branches, branch, applications, locked: this.#locked };
  }

  #session(): Session {
    return this.#session_or_null() ?? refuse('NOT_SIGNED_IN');
  }

  #canonical(kind: DocumentKind, typed: string): string {
    if (/^[\d.\s]{8,}-\s*\d$/.test(typed.trim())) refuse('DOCUMENT_LOOKS_LIKE_NIT');
    const number = typed.replace(/[\s.,]/g, '').replace(/^0+/, '');
    if (number === '') refuse('DOCUMENT_EMPTY');
    if (kind !== 'PA' && !/^\d+$/.test(number)) refuse('DOCUMENT_BAD_CHARACTER');
    if (number.length < 3) refuse('DOCUMENT_TOO_SHORT');
    if (number.length > (kind === 'CC' ? 10 : 12)) refuse('DOCUMENT_TOO_LONG');
    return number;
  }

  #from_server(lookup_id: string, kind: DocumentKind, number: string): Card {
    this.#last_sync_ms = Date.now();
    this.#copies.set(number, Date.now());
    return this.#card_of(lookup_id, kind, number, Date.now());
  }

  #from_copy(lookup_id: string, kind: DocumentKind, number: string, cause: Card['cause']): Card {
    const copied_ms = this.#copies.get(number);
    if (copied_ms === undefined) return { ...this.#blank(lookup_id, kind, number), cause: 'NO_COPY' };
    const card = this.#card_of(lookup_id, kind, number, copied_ms);
    const verdict = card.verdict === 'ACTIVE' ? 'ACTIVE_FROM_COPY' : card.verdict;
    return { ...card, verdict, source: 'copy', cause };
  }

  #card_of(lookup_id: string, kind: DocumentKind, number: string, answered_ms: number): Card {
    const person = PEOPLE.get(number);
    const reasons: Reason[] = person?.reasons ?? ['NOT_AFFILIATED'];
    const usable = reasons.length === 0;
    return {
      ...this.#blank(lookup_id, kind, number),
      verdict: usable ? 'ACTIVE' : person ? 'NOT_ACTIVE' : 'NOT_REGISTERED',
      source: 'online',
      statement_id: this.id(),
      affiliate: person?.affiliate ?? null,
      tariff: person?.affiliate.tariff ?? 'D',
      reasons: reasons.map((code) => ({
        code,
        fixer: FIXERS[code],
        asking_again_helps: code === 'COMPANY_SUSPENDED',
      })),
      age_s: Math.round((Date.now() - answered_ms) / 1000),
      valid_until: new Date(answered_ms + DAY_MS / 2).toISOString(),
      may_report: usable,
      used_today: this.#records.used_today(number),
    };
  }

  #blank(lookup_id: string, kind: DocumentKind, number: string): Card {
    return {
      lookup_id,
      document: { kind, number },
      verdict: 'NO_DATA',
      source: 'none',
      statement_id: null,
      affiliate: null,
      tariff: null,
      reasons: [],
      cause: null,
      age_s: null,
      valid_until: null,
      may_report: false,
      used_today: [],
      reported: null,
      may_void: false,
      voided: null,
      replaces: null,
    };
  }

  /** The server did not see this lookup: it is told of it later. */
  #shown_offline(card: Card): Card {
    this.#records.offline_lookup();
    return this.#shown(card);
  }

  #shown(card: Card): Card {
    this.#keep(card);
    const { lookup_id, verdict, document } = card;
    const line = {
      lookup_id,
      at: new Date().toISOString(),
      document_masked: maskDocument(document),
      verdict,
      used: false,
    };
    this.#recent = [line, ...this.#recent].slice(0, 20);
    this.#tell_status();
    return card;
  }

  #keep(card: Card): Card {
    this.#card = { card, asked_ms: Date.now() };
    return card;
  }

  #arrive_late(first: Card): void {
    if (!this.controls.online || this.#card?.card.lookup_id !== first.lookup_id) return;
    const { reported } = this.#card.card;
    const late = this.#from_server(first.lookup_id, first.document.kind, first.document.number);
    const replaces = late.verdict === first.verdict ? null : first.verdict;
    this.#mark(late.lookup_id, { verdict: late.verdict });
    this.#tell_card({ ...late, reported, replaces });
    this.#tell_status();
  }

  /** The card on the screen follows its use, and the void of that. */
  #follow_use(): void {
    const card = this.#card?.card;
    const use = card?.reported && this.#records.use(card.reported.id, this.#session());
    if (!card?.reported || !use) return;
    const { state, may_void, voided } = use;
    this.#tell_card({ ...card, reported: { ...card.reported, state }, may_void, voided });
  }

  #tell_card(card: Card): void {
    for (const tell of this.#card_listeners) tell(this.#keep(card));
  }

  #mark(lookup_id: string, change: Partial<RecentLookup>): void {
    this.#recent = this.#recent.map((line) => (line.lookup_id === lookup_id ? { ...line, ...change } : line));
  }

  #check_text(text: string, required: boolean): void {
    const problem = reasonProblem(text, required);
    if (problem) refuse(problem.code, problem.params);
  }

  #requeue(command: Command, which: string) {
    return this.run(command, () => {
      if (!this.#records.requeue(which) && which !== 'all') refuse('ITEM_NOT_FOUND');
      this.#follow_use();
      void this.#deliver();
      return this.#records.view();
    });
  }

  #scene() {
    return { session: this.#session(), online: this.controls.online };
  }

  /** The server takes everything that waits. */
  async #deliver(): Promise<void> {
    this.#tell_status();
    await wait(SEND_MS);
    if (!this.controls.online || this.controls.sign_in_needed) return;
    const sync = this.#records.deliver();
    this.#follow_use();
    this.#last_sync_ms = Date.now();
    this.#tell_status();
    if (sync) for (const tell of this.#synced_listeners) tell(sync);
  }

  #rows({ from, to, branch_id }: HistoryQuery): HistoryRow[] {
    if (from > to) refuse('RANGE_INVALID');
    const session = this.#session();
    const name = session.branches.find(({ id }) => id === branch_id)?.name;
    const rows = this.#records.rows(session, from, to);
    return branch_id === null ? rows : rows.filter(({ branch_name }) => branch_name === name);
  }

  get #cause(): Status['cause'] {
    const { online, minimum_version } = this.controls;
    if (online) return null;
    return minimum_version === null ? 'UNREACHABLE' : 'PROGRAM_TOO_OLD';
  }

  #status(): Status {
    const { online, minimum_version, sign_in_needed } = this.controls;
    return {
      online,
      cause: this.#cause,
      minimum_version,
      ...this.#records.counts(),
      copies_until:
        this.#copies.size === 0
          ? null
          : new Date(Math.max(...this.#copies.values()) + COPY_VALID_MS).toISOString(),
      last_sync_at: this.#last_sync_ms === null ? null : new Date(this.#last_sync_ms).toISOString(),
      sign_in_needed,
      sending: false,
    };
  }

  #tell_status(): void {
    for (const tell of this.#status_listeners) tell(this.#status());
  }

  protected id(): string {
    this.#ids += 1;
    return `01980000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

/** The mock as the address of the page asks for it; also in the console, as `hanna`. */
export function mockFromAddress(): MockBackend {
  const asked = new URLSearchParams(location.search);
  const number = (name: string, usual: number) => Number(asked.get(name) ?? usual);
  const failures = asked.getAll('fail').map((pair) => pair.split(':'));
  const printers = asked.get('printers');
  const backend = new MockBackend({
    online: !asked.has('offline'),
    latency_ms: number('latency', 60),
    server_ms: number('server', 60),
    sign_in_needed: asked.has('sign-in-needed'),
    notices: asked.getAll('notice') as Notice[],
    fail: Object.fromEntries(failures) as Controls['fail'],
    print_state: (asked.get('print') ?? 'queued') as PrintState,
    history: number('history', 730),
    alone: asked.has('alone'),
    ...(printers === null ? {} : { printers: printers.split(',').filter(Boolean) }),
  });
  const as = asked.get('as');
  if (as) backend.resume(as, asked.get('sede') ?? undefined);
  Object.assign(window, { hanna: backend });
  return backend;
}

/** An account of one's own: what is asked for in one mock does not show in the next. */
function account_of(username: string): Account | null {
  const found = ACCOUNTS.find(({ operator }) => operator.username === username);
  return found ? { ...found } : null;
}
