/** What the screen works out of a verified report. */
import { dayOf } from '../../../format';
import type { VerifiedReport } from '../../api/wire';

/** Its first and last day: the moment it goes up to does not belong to it any more. */
export function daysOf({ from, to }: Pick<VerifiedReport, 'from' | 'to'>): { first: string; last: string } {
  const first = dayOf(new Date(from));
  const last = dayOf(new Date(Date.parse(to) - 1));
  return { first, last: last < first ? first : last };
}

export function usesOf({ totals }: Pick<VerifiedReport, 'totals'>): number {
  return totals.reduce((sum, { uses }) => sum + uses, 0);
}
