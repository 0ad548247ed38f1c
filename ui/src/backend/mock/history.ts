/** An invented history of reported uses, always the same for the same day. */
import type { Branch } from '../../bindings/Branch';
import type { HistoryRow } from '../../bindings/HistoryRow';
import type { Tariff } from '../../bindings/Tariff';
import type { TariffTotal } from '../../bindings/TariffTotal';
import type { UsageState } from '../../bindings/UsageState';
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
const USES_AN_HOUR = 0.5;

/** Uses of the two months before `now`, newest first. */
export function inventedHistory(branches: Branch[], now: Date, count = 730): HistoryRow[] {
  const people = [...PEOPLE].filter(([, { reasons }]) => reasons.length === 0);
  return Array.from({ length: branches.length > 0 ? count : 0 }, (_, index) => {
    const [number, { affiliate }] = people[(index * 7) % people.length] ?? people[0] ?? missing();
    const state = STATES[index % STATES.length] ?? 'accepted';
    return {
      id: `01960000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      occurred_at: new Date(now.getTime() - ((index + 1) / USES_AN_HOUR) * 3_600_000).toISOString(),
      document: { kind: 'CC', number },
      affiliate_name: fullName(affiliate),
      tariff: affiliate.tariff,
      company_name: affiliate.company?.name ?? null,
      branch_name: (branches[index % branches.length] ?? missing()).name,
      operator_name: OPERATORS[index % OPERATORS.length] ?? '',
      state,
      code: state === 'accepted_with_note' ? 'DAILY_LIMIT_REACHED' : null,
    };
  });
}

export function inRange(rows: HistoryRow[], from: string, to: string): HistoryRow[] {
  return rows.filter(({ occurred_at }) => {
    const day = dayOf(new Date(occurred_at));
    return from <= day && day <= to;
  });
}

export function totalsOf(rows: HistoryRow[]): TariffTotal[] {
  const counted = rows.filter(({ state }) => state !== 'withdrawn' && state !== 'needs_attention');
  return (['A', 'B', 'C', 'D'] satisfies Tariff[])
    .map((tariff) => ({ tariff, uses: counted.filter((row) => row.tariff === tariff).length }))
    .filter(({ uses }) => uses > 0);
}

function missing(): never {
  throw new Error('the mock has no people');
}
