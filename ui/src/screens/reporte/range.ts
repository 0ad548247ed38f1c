/** The range of days of the report: typed as dd/mm/aaaa, kept as ISO days. Pure. */
import { t } from '../../i18n/i18n';

/** A day as `2026-11-22`. */
export type Day = string;

export interface Range {
  from: Day;
  to: Day;
}

export const PRESETS = ['today', 'this_month', 'last_month'] as const;

export type Preset = (typeof PRESETS)[number];

/** `5/11/2026`, `05-11-2026`, `05.11.26` or `05112026` as a day; `null` when there is no such day. */
export function parseDay(text: string): Day | null {
  const typed =
    /^\s*(\d{1,2})[/.\-\s](\d{1,2})[/.\-\s](\d{4}|\d{2})\s*$/.exec(text) ??
    /^(\d{2})(\d{2})(\d{4})$/.exec(text);
  if (!typed) return null;
  const [day = 0, month = 0, year = 0] = typed.slice(1).map(Number);
  return makeDay(year < 100 ? 2000 + year : year, month, day);
}

/** Whether a text from the address is a day. */
export function isDay(text: string | undefined): text is Day {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '');
  if (!parts) return false;
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number);
  return makeDay(year, month, day) !== null;
}

/** `dd/mm/aaaa`. */
export function writeDay(day: Day): string {
  const [year, month, date] = day.split('-');
  return `${date}/${month}/${year}`;
}

export function preset(name: Preset, today: Day): Range {
  const [year = 0, month = 0] = today.split('-').map(Number);
  switch (name) {
    case 'today':
      return { from: today, to: today };
    case 'this_month':
      return month_of(year, month);
    case 'last_month':
      return month === 1 ? month_of(year - 1, 12) : month_of(year, month - 1);
  }
}

/** The preset a range is, if it is one. */
export function presetOf(range: Range, today: Day): Preset | undefined {
  return PRESETS.find((name) => {
    const { from, to } = preset(name, today);
    return from === range.from && to === range.to;
  });
}

export type Typed = { from: string; to: string };

export type Checked = { range: Range } | { errors: Partial<Typed> };

/** The range that was typed, or what is wrong with which field. */
export function check(typed: Typed): Checked {
  const from = parseDay(typed.from);
  const to = parseDay(typed.to);
  if (from === null || to === null) {
    const invalid = t('reporte_date_invalid');
    return { errors: { ...(from === null && { from: invalid }), ...(to === null && { to: invalid }) } };
  }
  if (from > to) return { errors: { to: t('reporte_date_reversed') } };
  return { range: { from, to } };
}

function month_of(year: number, month: number): Range {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { from: iso(year, month, 1), to: iso(year, month, last) };
}

function makeDay(year: number, month: number, day: number): Day | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists && year >= 2000 ? iso(year, month, day) : null;
}

function iso(year: number, month: number, day: number): Day {
  return [String(year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join(
    '-',
  );
}
