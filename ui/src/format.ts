/** Times, days, documents and people as the screens write them. Times are Colombian, whatever the PC is set to. */
import type { Affiliate } from './bindings/Affiliate';
import type { Document } from './bindings/Document';
import { locale, t } from './i18n/i18n';

const timeZone = 'America/Bogota';
const clockTime = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone } as const;

const time = new Intl.DateTimeFormat(locale, clockTime);
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone });
const numericDate = new Intl.DateTimeFormat(locale, {
  day: '2-digit',
  month: '2-digit',
  year: 'numeric',
  timeZone,
});
const numericDateTime = new Intl.DateTimeFormat(locale, {
  day: '2-digit',
  month: '2-digit',
  year: 'numeric',
  ...clockTime,
});
const relative = new Intl.RelativeTimeFormat(locale, { style: 'narrow', numeric: 'always' });
const relativeDay = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** `10:32`. */
export function formatTime(timestamp: string): string {
  return time.format(new Date(timestamp));
}

/** `22/11/2026, 10:32`. */
export function formatDateTime(timestamp: string): string {
  return numericDateTime.format(new Date(timestamp));
}

/** The Colombian day of a moment, as `2026-11-22`. From parts: how a locale joins them differs between engines. */
export function dayOf(moment: Date): string {
  const parts = numericDate.formatToParts(moment);
  const part = (wanted: string) => parts.find(({ type }) => type === wanted)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** How long ago, for people: `hace un momento`, `hace 5 min`, `hace 5 h`, `hace 2 d`. */
export function ago(age_s: number): string {
  if (age_s < MINUTE_S) return t('moment_ago');
  return coarse(age_s);
}

/** How long ago, for the status bar, which counts seconds. */
export function agoExact(age_s: number): string {
  return age_s < MINUTE_S ? relative.format(-Math.max(1, Math.floor(age_s)), 'second') : coarse(age_s);
}

function coarse(age_s: number): string {
  if (age_s < HOUR_S) return relative.format(-Math.floor(age_s / MINUTE_S), 'minute');
  if (age_s < DAY_S) return relative.format(-Math.floor(age_s / HOUR_S), 'hour');
  return relative.format(-Math.floor(age_s / DAY_S), 'day');
}

/** A moment close to now: `hoy 18:40`, `mañana 08:00`, `24 nov 08:00`. */
export function nearMoment(timestamp: string, now: Date): string {
  const moment = new Date(timestamp);
  const days = (Date.parse(dayOf(moment)) - Date.parse(dayOf(now))) / (DAY_S * 1000);
  const day = Math.abs(days) <= 1 ? relativeDay.format(days, 'day') : dayMonth.format(moment);
  return `${day} ${time.format(moment)}`;
}

/** `1.045.678.901`: digits in groups of three, from the right; a passport as it is. */
export function groupDigits(number: string): string {
  return /^\d+$/.test(number) ? number.replace(/\B(?=(\d{3})+$)/g, '.') : number;
}

/** `CC 1.045.678.901`. */
export function formatDocument(document: Document): string {
  return `${document.kind} ${groupDigits(document.number)}`;
}

/** `•••8901`: what lists show; a number of four characters or fewer shows only its last one. */
export function maskDocument(document: Document): string {
  return `•••${document.number.slice(document.number.length > 4 ? -4 : -1)}`;
}

/** `PÉREZ GÓMEZ, JUAN CARLOS`, without what a person does not have. */
export function fullName(person: Affiliate): string {
  const surnames = [person.first_surname, person.second_surname].filter(Boolean).join(' ');
  const names = [person.first_name, person.second_name].filter(Boolean).join(' ');
  return `${surnames}, ${names}`;
}
