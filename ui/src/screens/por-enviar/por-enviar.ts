/** How the items of the outbox read. Pure. */
import type { OutboxItem } from '../../bindings/OutboxItem';
import { nearMoment } from '../../format';
import { t } from '../../i18n/i18n';

export interface Split {
  /** A person has to look. */
  attention: OutboxItem[];
  /** They go by themselves. */
  waiting: OutboxItem[];
}

export function split(items: OutboxItem[]): Split {
  const refused = ({ state }: OutboxItem) => state === 'needs_attention';
  return { attention: items.filter(refused), waiting: items.filter((item) => !refused(item)) };
}

/** Why it was refused and what to do; the server's code first, then the cause of the last attempt. */
export function explanation({ code, last_cause }: OutboxItem): { what: string; todo: string } {
  if (code) return { what: t(`item_code_${code}_what`), todo: t(`item_code_${code}_do`) };
  if (last_cause) return { what: t(`cause_${last_cause}_what`), todo: t(`cause_${last_cause}_do`) };
  return { what: t('por_enviar_unknown_what'), todo: t('por_enviar_unknown_do') };
}

/** When a waiting item is tried again. */
export function nextAttempt({ next_attempt_at, state }: OutboxItem, now: Date): string {
  if (state === 'sending') return t('item_state_sending');
  if (next_attempt_at === null || Date.parse(next_attempt_at) <= now.getTime())
    return t('por_enviar_next_soon');
  return nearMoment(next_attempt_at, now);
}
