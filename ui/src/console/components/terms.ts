/** The terms of an agreement as a form: what is typed, what is usual, what is wrong. Pure. */
import { isDay } from '../../screens/reporte/range';
import type { AgreementTerms } from '../api/wire';
import { t } from '../i18n';
import { AGREEMENT_YEARS_MAX, NAME_MAX, TERMS } from '../limits';

type Figure = keyof typeof TERMS;

/** The fields that hold a number, in the order of the form. */
export const NUMBERS = Object.keys(TERMS) as Figure[];

export type TermsForm = Omit<AgreementTerms, Figure> & Record<Figure, string>;

export type TermsErrors = Partial<Record<keyof AgreementTerms, string>>;

/** What is usual: a year, tariffs A to C, the whole family, once a day, statements of a day. */
export function usualTerms(name: string, first_day: string): TermsForm {
  return {
    name,
    first_day,
    last_day: dayBefore(yearAfter(first_day, 1)),
    tariffs: ['A', 'B', 'C'],
    roles: ['TRABAJADOR', 'BENEFICIARIO'],
    daily_limit: '1',
    over_limit: 'NOTE',
    validity_h: '24',
    void_window_min: '1440',
    offline_days_max: '7',
    retention_days: '30',
  };
}

export function formOf(terms: AgreementTerms): TermsForm {
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, String(terms[name])])) as Record<
    Figure,
    string
  >;
  return { ...terms, tariffs: [...terms.tariffs], roles: [...terms.roles], ...numbers };
}

/** The terms, or what is wrong with which field. */
export function readTerms(form: TermsForm): { terms: AgreementTerms } | { errors: TermsErrors } {
  const errors: TermsErrors = {};
  const name = form.name.trim();
  if (name === '') errors.name = t('con_required');
  else if (name.length > NAME_MAX) errors.name = t('con_too_long', { max: NAME_MAX });
  if (!isDay(form.first_day)) errors.first_day = t('con_day_invalid');
  if (!isDay(form.last_day)) errors.last_day = t('con_day_invalid');
  else if (!errors.first_day) {
    if (form.last_day < form.first_day) errors.last_day = t('con_days_reversed');
    else if (form.last_day > yearAfter(form.first_day, AGREEMENT_YEARS_MAX))
      errors.last_day = t('con_day_far');
  }
  if (form.tariffs.length === 0) errors.tariffs = t('con_choose_one');
  if (form.roles.length === 0) errors.roles = t('con_choose_one');
  const numbers = {} as Record<Figure, number>;
  for (const field of NUMBERS) {
    const [least, most] = TERMS[field];
    const typed = String(form[field] ?? '').trim();
    numbers[field] = Number(typed);
    if (!/^\d+$/.test(typed) || numbers[field] < least || numbers[field] > most) {
      errors[field] = t('con_number_between', { least, most });
    }
  }
  if (Object.keys(errors).length > 0) return { errors };
  // In the order of the alphabet, whatever was ticked first.
  return {
    terms: { ...form, ...numbers, name, tariffs: [...form.tariffs].sort(), roles: [...form.roles].sort() },
  };
}

/** Whether an agreement covers a day. */
export function inForce(terms: AgreementTerms, today: string): 'before' | 'now' | 'over' {
  if (today < terms.first_day) return 'before';
  return today > terms.last_day ? 'over' : 'now';
}

function yearAfter(day: string, years: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(Date.UTC(year + years, month - 1, date)).toISOString().slice(0, 10);
}

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
}
