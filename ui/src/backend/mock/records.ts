/** What the invented desk has recorded: uses, voids, offline lookups, and what of them waits for the server. */
import type { Card } from '../../bindings/Card';
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { HistoryRow } from '../../bindings/HistoryRow';
import type { ItemCode } from '../../bindings/ItemCode';
import type { ItemState } from '../../bindings/ItemState';
import type { LastSync } from '../../bindings/LastSync';
import type { OutboxItem } from '../../bindings/OutboxItem';
import type { OutboxView } from '../../bindings/OutboxView';
import type { Session } from '../../bindings/Session';
import type { UsedToday } from '../../bindings/UsedToday';
import type { Voided } from '../../bindings/Voided';
import type { VoidReason } from '../../bindings/VoidReason';
import { dayOf, fullName, maskDocument } from '../../format';
import { inRange, inventedHistory } from './history';
import { PEOPLE } from './people';

/** Who records, where, and whether the first attempt to send it failed. */
export interface Scene {
  session: Session;
  online: boolean;
}

const RETRY_AFTER_MS = 90_000;

export class Records {
  #items: OutboxItem[] = [];
  /** Offline lookups still to be sent. */
  #lookups = 0;
  #history: HistoryRow[] | null = null;
  readonly #history_length: number;
  #last_sync: LastSync | null = null;
  #used = new Map<string, UsedToday[]>();
  /** The report each void takes back. */
  #voids = new Map<string, string>();

  constructor(history_length: number) {
    this.#history_length = history_length;
    for (const [number, { used }] of PEOPLE) {
      if (!used) continue;
      const occurred_at = new Date(Date.now() - used.minutes * 60_000).toISOString();
      this.#used.set(number, [{ occurred_at, branch_name: used.branch }]);
    }
  }

  view(): OutboxView {
    const last = ({ state }: OutboxItem) => Number(state !== 'needs_attention');
    const items = this.#items.map((item) => ({ ...item })).toSorted((a, b) => last(a) - last(b));
    return { items, lookups: this.#lookups, last_sync: this.#last_sync };
  }

  counts(): { pending: number; lookups: number; needs_attention: number } {
    const needs_attention = this.#items.filter(({ state }) => state === 'needs_attention').length;
    return { pending: this.#items.length - needs_attention, lookups: this.#lookups, needs_attention };
  }

  used_today(number: string): UsedToday[] {
    return this.#used.get(number) ?? [];
  }

  /** The uses of these days, newest first, with what the operator may take back. */
  rows(session: Session, from: string, to: string): HistoryRow[] {
    return inRange(this.#rows(session), from, to).map((row) => ({
      ...row,
      may_void: may_void(row, session),
    }));
  }

  /** How a use stands, and its void. */
  use(
    id: string,
    session: Session,
  ): { state: ItemState; may_void: boolean; voided: Voided | null } | undefined {
    const row = this.#row(id, session);
    if (!row) return undefined;
    const waiting = this.#items.find((item) => item.id === id);
    const state = waiting?.state ?? (row.state === 'voided' ? 'accepted' : row.state);
    return { state, may_void: may_void(row, session), voided: row.voided };
  }

  /** A lookup that the copy answered, or nothing did. */
  offline_lookup(): void {
    this.#lookups += 1;
  }

  /** A use of the person on the card. */
  report(id: string, card: Card, scene: Scene): OutboxItem {
    const item = this.#enqueue(id, 'usage_report', maskDocument(card.document), scene);
    const { occurred_at, branch_name, operator_name } = item;
    const { number } = card.document;
    this.#used.set(number, [...this.used_today(number), { occurred_at, branch_name }]);
    if (card.affiliate) {
      this.#rows(scene.session).unshift({
        id,
        occurred_at,
        document: card.document,
        affiliate_name: fullName(card.affiliate),
        tariff: card.affiliate.tariff,
        company_name: card.affiliate.company?.name ?? null,
        branch_name,
        operator_name,
        state: 'queued',
        code: null,
        voided: null,
        may_void: true,
      });
    }
    return item;
  }

  /** Takes a use back; the code of why not otherwise. */
  void_use(
    id: string,
    report_id: string,
    { reason, text }: { reason: VoidReason; text: string | null },
    scene: Scene,
  ): Voided | ErrorCode {
    const row = this.#row(report_id, scene.session);
    if (!row) return 'ITEM_NOT_FOUND';
    if (row.voided) return 'ALREADY_VOIDED';
    if (!may_void(row, scene.session)) return 'VOID_NOT_ALLOWED';
    const { occurred_at, operator_name, state } = this.#enqueue(
      id,
      'void',
      maskDocument(row.document),
      scene,
      row.branch_name,
    );
    this.#voids.set(id, report_id);
    const { number } = row.document;
    this.#used.set(
      number,
      this.used_today(number).filter((used) => used.occurred_at !== row.occurred_at),
    );
    row.voided = { occurred_at, operator_name, reason, text, state };
    row.state = 'voided';
    return row.voided;
  }

  /** The server refuses what waits and the code can be about. */
  refuse(code: ItemCode | null): void {
    const refused = this.#items.filter(({ kind, state }) => state !== 'needs_attention' && about(code, kind));
    for (const item of refused) {
      Object.assign(item, { state: 'needs_attention', code, attempts: item.attempts + 1 });
      const row = this.#row(item.id);
      if (row && !row.voided) Object.assign(row, { state: 'needs_attention', code });
      this.#settle_void(item.id, 'needs_attention');
    }
  }

  /** Puts what requires attention back in the queue: one item, or all. */
  requeue(which: string | 'all'): boolean {
    const asked = this.#items.filter(
      ({ id, state }) => state === 'needs_attention' && (which === 'all' || id === which),
    );
    for (const item of asked) {
      Object.assign(item, { state: 'queued', code: null });
      const row = this.#row(item.id);
      if (row && !row.voided) Object.assign(row, { state: 'queued', code: null });
      this.#settle_void(item.id, 'queued');
    }
    return asked.length > 0;
  }

  /** Gives up one that requires attention. A void whose report is given up goes with it. */
  withdraw(id: string): boolean {
    const item = this.#items.find((other) => other.id === id && other.state === 'needs_attention');
    if (!item) return false;
    const gone = new Set([id, ...[...this.#voids].filter(([, report]) => report === id).map(([own]) => own)]);
    this.#items = this.#items.filter((other) => !gone.has(other.id));
    const voided = this.#row(this.#voids.get(id) ?? '');
    if (voided) Object.assign(voided, { state: 'accepted', voided: null });
    const row = this.#row(id);
    if (row) Object.assign(row, { state: 'withdrawn', voided: null });
    return true;
  }

  /** The server takes everything that waits. How that went, when something of it had been tried before. */
  deliver(): LastSync | null {
    const taken = this.#items.filter(({ state }) => state !== 'needs_attention');
    this.#items = this.#items.filter((item) => !taken.includes(item));
    this.#lookups = 0;
    for (const item of taken) {
      const row = this.#row(item.id);
      if (row && !row.voided) this.#take(item, row);
      else item.state = 'accepted';
      this.#settle_void(item.id, 'accepted');
    }
    const late = taken.filter(({ attempts }) => attempts > 0);
    if (late.length === 0) return null;
    this.#last_sync = this.#reconciled(late);
    return this.#last_sync;
  }

  /** A second use of a day that had to wait is noted; the first counts. */
  #take(item: OutboxItem, row: HistoryRow): void {
    const first = this.used_today(row.document.number)[0]?.occurred_at ?? row.occurred_at;
    const noted = item.attempts > 0 && first !== row.occurred_at;
    const outcome = noted
      ? ({ state: 'accepted_with_note', code: 'DAILY_LIMIT_REACHED' } as const)
      : ({ state: 'accepted', code: null } as const);
    Object.assign(item, outcome);
    Object.assign(row, outcome);
  }

  #reconciled(late: OutboxItem[]): LastSync {
    const groups = new Map<string, LastSync['groups'][number]>();
    for (const { id, kind, branch_name, state } of late) {
      const tariff = this.#row(this.#voids.get(id) ?? id)?.tariff ?? null;
      const name = [kind, branch_name, tariff].join();
      const group = groups.get(name) ?? { kind, branch_name, tariff, accepted: 0, noted: 0, refused: 0 };
      group[state === 'accepted_with_note' ? 'noted' : 'accepted'] += 1;
      groups.set(name, group);
    }
    const now = new Date().toISOString();
    return {
      began_at: now,
      ended_at: now,
      groups: [...groups].toSorted(([one], [other]) => one.localeCompare(other)).map(([, group]) => group),
      noted: late.filter(({ state }) => state === 'accepted_with_note'),
    };
  }

  #settle_void(id: string, state: Voided['state']): void {
    const row = this.#row(this.#voids.get(id) ?? '');
    if (row?.voided) row.voided = { ...row.voided, state };
  }

  #enqueue(
    id: string,
    kind: OutboxItem['kind'],
    document_masked: string,
    { session, online }: Scene,
    branch_name = session.branch?.name ?? '',
  ): OutboxItem {
    const item: OutboxItem = {
      id,
      kind,
      state: 'queued',
      code: null,
      occurred_at: new Date().toISOString(),
      document_masked,
      branch_name,
      operator_name: session.operator.display_name,
      attempts: online ? 0 : 1,
      last_cause: online ? null : 'UNREACHABLE',
      next_attempt_at: new Date(Date.now() + RETRY_AFTER_MS).toISOString(),
    };
    this.#items = [...this.#items, item];
    return item;
  }

  #rows(session: Session): HistoryRow[] {
    this.#history ??= inventedHistory(session.branches, new Date(), this.#history_length);
    return this.#history;
  }

  #row(id: string, session?: Session): HistoryRow | undefined {
    return (session ? this.#rows(session) : this.#history)?.find((row) => row.id === id);
  }
}

function about(code: ItemCode | null, kind: OutboxItem['kind']): boolean {
  if (code === null || code === 'ID_CONFLICT' || code === 'MALFORMED') return true;
  return (code === 'ALREADY_VOIDED' || code === 'VOID_NOT_ALLOWED') === (kind === 'void');
}

/** One's own use, of today, that is not refused, given up or taken back. */
function may_void(row: HistoryRow, { operator }: Session): boolean {
  const open = row.state !== 'needs_attention' && row.state !== 'withdrawn' && row.voided === null;
  const today = dayOf(new Date(row.occurred_at)) === dayOf(new Date());
  return open && today && row.operator_name === operator.display_name;
}
