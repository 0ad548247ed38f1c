/** What the status bar says. Its sentences never promise more than the desk just counted. */
import type { Status } from '../bindings/Status';
import { agoExact, nearMoment } from '../format';
import { plural, t } from '../i18n/i18n';

/** As the desk last told; `undefined` before it did, `null` when it could not. */
export type Known = Status | null | undefined;

export type Connection = 'online' | 'offline' | 'unknown';

/** Nothing was asked of the server yet: neither online nor offline. */
export function connection(status: Known): Connection {
  if (!status) return 'unknown';
  if (status.online) return 'online';
  return status.cause === null && status.last_sync_at === null ? 'unknown' : 'offline';
}

export function connectionText(status: Known): string {
  if (!status) return t('status_unreadable');
  const state = connection(status);
  if (state !== 'offline') return t(`status_${state}`);
  // There is a connection: it is this program that is not served.
  if (status.minimum_version !== null) return t('status_too_old', { version: status.minimum_version });
  // "Sin conexión · No hay conexión" would say it twice.
  if (status.cause === null || status.cause === 'UNREACHABLE') return t('status_offline');
  return `${t('status_offline')} · ${t(`cause_${status.cause}_what`).replace(/\.$/, '')}`;
}

/** The same in full: in the bar it is cut off where there is no room for it. */
export function connectionTitle(status: Known): string {
  const version = status?.minimum_version;
  return version ? t('error_PROGRAM_TOO_OLD', { version }) : connectionText(status);
}

/** *Todo enviado* only when the desk counted nothing open at all. */
export function allSent(status: Known): boolean {
  return status?.pending === 0 && status.needs_attention === 0 && status.lookups === 0;
}

export function outboxText(status: Known): string {
  if (!status) return t('nav_por_enviar');
  if (allSent(status)) return t('status_all_sent');
  const parts = [];
  if (status.needs_attention > 0) parts.push(plural('status_attention', status.needs_attention));
  if (status.pending > 0) parts.push(plural('status_pending', status.pending));
  return parts.length > 0 ? parts.join(' · ') : lookupsText(status);
}

/** Offline lookups alone: nobody has to do anything. They go by themselves while there is somebody to send them to. */
function lookupsText({ lookups, online, sign_in_needed }: Status): string {
  return online && !sign_in_needed ? t('status_lookups_sending') : plural('status_lookups', lookups);
}

/** Offline, how long the copies serve; otherwise how fresh everything is. */
export function freshnessText(status: Known, now: Date): string {
  return status && connection(status) === 'offline' ? copiesText(status, now) : syncText(status, now);
}

function copiesText({ copies_until }: Status, now: Date): string {
  if (copies_until === null || Date.parse(copies_until) <= now.getTime()) return t('status_no_copies');
  return t('status_copies_until', { when: nearMoment(copies_until, now) });
}

function syncText(status: Known, now: Date): string {
  if (!status?.last_sync_at) return t('status_never_synced');
  const age_s = (now.getTime() - Date.parse(status.last_sync_at)) / 1000;
  return t('status_synced', { ago: agoExact(age_s) });
}
