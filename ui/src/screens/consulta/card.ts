/** How a card reads: its tone and its sentences. Pure; the component only places them. */
import type { Card } from '../../bindings/Card';
import type { Reported } from '../../bindings/Reported';
import type { Tariff } from '../../bindings/Tariff';
import type { Verdict } from '../../bindings/Verdict';
import type { Voided } from '../../bindings/Voided';
import { ago, formatTime, nearMoment } from '../../format';
import { plural, t } from '../../i18n/i18n';

export type Tone = 'yes' | 'no' | 'none';

export function tone(verdict: Verdict): Tone {
  switch (verdict) {
    case 'ACTIVE':
    case 'ACTIVE_FROM_COPY':
      return 'yes';
    case 'NOT_ACTIVE':
    case 'NOT_REGISTERED':
      return 'no';
    case 'NO_DATA':
      return 'none';
  }
}

/**
 * The tariff in big letters: only one that may be charged. A preferential one beside NO ACTIVO would be read as a price.
 */
export function bandTariff({ verdict, tariff }: Card): Tariff | null {
  return tone(verdict) === 'yes' || tariff === 'D' ? tariff : null;
}

/** Under the verdict: where it comes from, how old it is, until when it holds. */
export function originLine(card: Card, shown_ms: number, now: Date): string {
  const age_s = (card.age_s ?? 0) + Math.max(0, (now.getTime() - shown_ms) / 1000);
  switch (card.source) {
    case 'online':
      return t('consulta_line_online', { ago: ago(age_s) });
    case 'copy':
      if (card.age_s === null || card.valid_until === null) return t('consulta_line_copy_undated');
      return t('consulta_line_copy', { ago: ago(age_s), until: nearMoment(card.valid_until, now) });
    case 'none':
      return t('consulta_line_none');
  }
}

/** `Ya se reportó hoy a las 10:32 en Sede Norte`: the latest use, and how many more. */
export function usedTodayLine({ used_today }: Card): string {
  const latest = used_today.at(-1);
  if (!latest) return t('consulta_used_today_unknown');
  const line = t('consulta_used_today', { time: formatTime(latest.occurred_at), branch: latest.branch_name });
  const more = used_today.length - 1;
  return more > 0 ? `${line} ${plural('consulta_used_today_more', more)}` : line;
}

/** How the use on the card stands: counted, taken back, or something that a person has to look at. */
export interface UseLine {
  how: 'saved' | 'voided' | 'wrong';
  text: string;
}

export function useLine({ state }: Reported, voided: Voided | null): UseLine {
  if (voided?.state === 'needs_attention') return { how: 'wrong', text: t('consulta_void_attention') };
  if (voided) return { how: 'voided', text: t('consulta_voided', { time: formatTime(voided.occurred_at) }) };
  switch (state) {
    case 'accepted':
      return { how: 'saved', text: t('consulta_reported_sent') };
    case 'accepted_with_note':
      return { how: 'saved', text: t('consulta_reported_noted') };
    case 'needs_attention':
      return { how: 'wrong', text: t('consulta_reported_attention') };
    case 'withdrawn':
      return { how: 'wrong', text: t('consulta_reported_withdrawn') };
    case 'queued':
    case 'sending':
      return { how: 'saved', text: t('consulta_reported_queued') };
  }
}

/** The notice when a late answer took the place of another verdict; `null` when it did not. */
export function replacedLine({ replaces, verdict, reported }: Card): string | null {
  if (replaces === null || replaces === verdict) return null;
  const before = t(`verdict_${replaces}`);
  const line = t('consulta_replaced', { before, now: t(`verdict_${verdict}`) });
  return reported && tone(verdict) !== 'yes' ? `${line} ${t('consulta_replaced_reported')}` : line;
}

/** What a screen reader says when the card appears. No name: the counter is not a private place. */
export function announcement(card: Card, origin: string): string {
  const charged = bandTariff(card);
  const tariff = charged ? `${t('consulta_tariff')} ${charged}.` : '';
  const first = card.reasons[0];
  const why = first
    ? t(`reason_${first.code}_what`)
    : card.cause && card.source === 'none'
      ? t(`cause_${card.cause}_what`)
      : '';
  return [`${t(`verdict_${card.verdict}`)}.`, tariff, `${origin}.`, why].filter(Boolean).join(' ');
}
