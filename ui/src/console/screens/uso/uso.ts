/** Usage by entity: what is shown of it, its totals, and the same as a file. Pure. */
import type { EntityUsage, UsageCounts } from '../../api/wire';
import { t } from '../../i18n';

export const COUNTS = ['lookups', 'uses', 'voided', 'people'] as const;

/** Those whose name or NIT has the text in it, whatever its case and accents; and, unless wanted, only where something was. */
export function shownUsage(items: EntityUsage[], q: string, idle: boolean): EntityUsage[] {
  const wanted = plain(q);
  return items.filter(
    ({ entity, total }) =>
      (plain(entity.name).includes(wanted) || entity.nit.includes(q.trim())) &&
      (idle || total.lookups > 0 || total.uses > 0 || total.voided > 0),
  );
}

/**
 * The sums of what is shown. People are left out: whoever went to two entities would be counted twice.
 */
export function sums(items: EntityUsage[]): Omit<UsageCounts, 'people'> {
  const sum = (name: 'lookups' | 'uses' | 'voided') =>
    items.reduce((total, one) => total + one.total[name], 0);
  return { lookups: sum('lookups'), uses: sum('uses'), voided: sum('voided') };
}

/** A line for every branch, as spreadsheets of Colombia read it: semicolons, and UTF-8 said at the beginning. */
export function usageFile(items: EntityUsage[], from: string, to: string): Blob {
  const head = [
    'con_uso_from',
    'con_uso_to',
    'con_nit_label',
    'con_entity',
    'con_code',
    'con_branch_name',
    'con_city',
    'con_uso_lookups',
    'con_uso_uses',
    'con_uso_voided',
    'con_uso_people',
  ] as const;
  const lines = items.flatMap(({ entity, branches }) =>
    branches.map(({ branch, counts }) => [
      from,
      to,
      entity.nit,
      entity.name,
      branch.code,
      branch.name,
      branch.city,
      ...COUNTS.map((name) => String(counts[name])),
    ]),
  );
  const text = [head.map((key) => t(key)), ...lines].map((line) => line.map(field).join(';')).join('\r\n');
  return new Blob(['\uFEFF', text, '\r\n'], { type: 'text/csv;charset=utf-8' });
}

/** In quotes when it has to be; and never a formula, which a spreadsheet would run. */
function field(text: string): string {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[;"\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function plain(text: string): string {
  return text.trim().normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
