/** An invented history of reported uses, always the same for the same day. */
import type { Branch } from '../../bindings/Branch';
import type { HistoryRow } from '../../bindings/HistoryRow';
import type { Tariff } from '../../bindings/Tariff';
import type { TariffTotal } from '../../bindings/TariffTotal';
import type { UsageState } from '../../bindings/UsageState';
import type { Voided } from '../../bindings/Voided';
import type { VoidReason } from '../../bindings/VoidReason';
import { dayOf, fullName } from '../../format';
import { PEOPLE } from './people';

const OPERATORS = ['Ana Rodríguez', 'Luis Fernando Santodomingo de la Espriella', 'Yuleidys Pertuz'];
const STATES: UsageState[] = [
  'accepted',
  'accepted',
  'accepted',
  'accepted',
  'accepted',
  'accepted_with_note',
];
const REASONS: VoidReason[] = ['REPORTED_TWICE', 'WRONG_PERSON', 'OTHER', 'NOT_USED'];
const USES_AN_HOUR = 0.5;
/** Every so many uses one was taken back, some minutes later. */
const A_VOID_EVERY = 41;
const FIRST_VOID = 4;
const VOIDED_AFTER_MS = 6 * 60_000;

/** Uses of the two months before `now`, newest first. */
export function inventedHistory(branches: Branch[], now: Date, count = 730): HistoryRow[] {
  const people = [...PEOPLE].filter(([, { reasons }]) => reasons.length === 0);
  return Array.from({ length: branches.length > 0 ? count : 0 }, (_, index) => {
    const [number, { affiliate }] = people[(index * 7) % people.length] ?? people[0] ?? missing();
    const happened_ms = now.getTime() - ((index + 1) / USES_AN_HOUR) * 3_600_000;
    const operator_name = OPERATORS[index % OPERATORS.length] ?? '';
    const voided = inventedVoid(index, happened_ms, operator_name);
    const state = voided ? 'voided' : (STATES[index % STATES.length] ?? 'accepted');
    return {
      id: `01960000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      occurred_at: new Date(happened_ms).toISOString(),
      document: { kind: 'CC', number },
      affiliate_name: fullName(affiliate),
      tariff: affiliate.tariff,
      company_name: affiliate.company?.name ?? null,
      branch_name: (branches[index % branches.length] ?? missing()).name,
      operator_name,
      state,
      code: state === 'accepted_with_note' ? 'DAILY_LIMIT_REACHED' : null,
      voided,
      may_void: false,
    };
  });
}

function inventedVoid(index: number, happened_ms: number, operator_name: string): Voided | null {
  if (index % A_VOID_EVERY !== FIRST_VOID) return null;
  const reason = REASONS[Math.floor(index / A_VOID_EVERY) % REASONS.length] ?? 'OTHER';
  return {
    occurred_at: new Date(happened_ms + VOIDED_AFTER_MS).toISOString(),
    operator_name,
    reason,
    text: reason === 'OTHER' ? 'La persona prefirió pagar la tarifa plena.' : null,
    state: 'accepted',
  };
}

export function inRange(rows: HistoryRow[], from: string, to: string): HistoryRow[] {
  return rows.filter(({ occurred_at }) => {
    const day = dayOf(new Date(occurred_at));
    return from <= day && day <= to;
  });
}

export function totalsOf(rows: HistoryRow[]): TariffTotal[] {
  const left_out: UsageState[] = ['needs_attention', 'withdrawn', 'voided'];
  const counted = rows.filter(({ state }) => !left_out.includes(state));
  return (['A', 'B', 'C', 'D'] satisfies Tariff[])
    .map((tariff) => ({ tariff, uses: counted.filter((row) => row.tariff === tariff).length }))
    .filter(({ uses }) => uses > 0);
}

function missing(): never {
  throw new Error('the mock has no people');
}
