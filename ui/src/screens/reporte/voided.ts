/** How the void of a use reads, under the use. Pure. */
import type { Voided } from '../../bindings/Voided';
import { formatDateTime } from '../../format';
import { t } from '../../i18n/i18n';

/** The id of the row that shows the void. */
export function voidId(report_id: string): string {
  return `void-${report_id}`;
}

/** Why, in the words of the list and, when there are any, the operator's. */
export function whyVoided({ reason, text }: Voided): string {
  return text ? `${t(`void_reason_${reason}`)}: «${text}»` : t(`void_reason_${reason}`);
}

export function voidedBy({ occurred_at, operator_name }: Voided): string {
  return t('reporte_void_of', { when: formatDateTime(occurred_at), operator: operator_name });
}

/** How the void itself stands, as long as the server has not taken it. */
export function voidStanding({ state }: Voided): string | null {
  return state === 'accepted' ? null : t(`item_state_${state}`);
}
