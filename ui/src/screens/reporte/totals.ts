/** What the totals count, and what they leave out. Pure. */
import type { History } from '../../bindings/History';
import type { HistoryRow } from '../../bindings/HistoryRow';
import type { UsageState } from '../../bindings/UsageState';
import type { Voided } from '../../bindings/Voided';
import { locale, plural, t } from '../../i18n/i18n';

/** No uses, in the order they are named. */
const LEFT_OUT = ['needs_attention', 'withdrawn', 'voided'] as const satisfies UsageState[];

const list = new Intl.ListFormat(locale, { type: 'conjunction' });

/** `No se suman: 1 desistido y 2 anulados.`; `null` when the totals count every row. */
export function leftOut(rows: HistoryRow[]): string | null {
  const uses = LEFT_OUT.flatMap((state) => {
    const count = rows.filter((row) => row.state === state).length;
    return count === 0 ? [] : [plural(`reporte_left_out_${state}`, count)];
  });
  return uses.length === 0 ? null : t('reporte_left_out', { uses: list.format(uses) });
}

/** The history with a use taken back that it counted until now. */
export function withVoid(history: History, report_id: string, voided: Voided): History {
  const taken = history.rows.find(({ id, may_void }) => id === report_id && may_void);
  if (!taken) return history;
  const rows = history.rows.map((row) =>
    row === taken ? { ...row, state: 'voided' as const, voided, may_void: false } : row,
  );
  const totals = history.totals
    .map((total) => (total.tariff === taken.tariff ? { ...total, uses: total.uses - 1 } : total))
    .filter(({ uses }) => uses > 0);
  return { ...history, rows, totals };
}
