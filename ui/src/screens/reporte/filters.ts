/** The report's filters in the address of the window, so that "back" finds them again. Pure. */
import type { HistoryQuery } from '../../bindings/HistoryQuery';
import { type Day, isDay, preset } from './range';

/** What the address asks for; this month and all sedes when it does not say, or says nonsense. */
export function queryOf(filters: Record<string, string>, today: Day): HistoryQuery {
  const { desde, hasta, sede } = filters;
  const range =
    isDay(desde) && isDay(hasta) && desde <= hasta ? { from: desde, to: hasta } : preset('this_month', today);
  return { ...range, branch_id: sede ? sede : null };
}

export function filtersOf({ from, to, branch_id }: HistoryQuery): Record<string, string> {
  return { desde: from, hasta: to, ...(branch_id === null ? {} : { sede: branch_id }) };
}
