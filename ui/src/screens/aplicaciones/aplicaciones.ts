/** What a tile says. Pure. */
import type { Application } from '../../bindings/Application';
import type { ApplicationEvent } from '../../bindings/ApplicationEvent';
import { t } from '../../i18n/i18n';
import { CONVENIOS } from '../../route';

/** What can be done with a tile: opened here, asked for or put right by an administrator, waited for, or used elsewhere. */
export type Tile =
  | { opens: true }
  | { opens: false; hint: string; reason: string | null; request: 'first' | 'correct' | null };

export function tile({ code, state, reason }: Application, administers: boolean): Tile {
  if (code !== CONVENIOS) {
    return { opens: false, hint: t('aplicaciones_elsewhere'), reason: null, request: null };
  }
  if (state === 'APPROVED') return { opens: true };
  if (administers && state === 'NOT_REQUESTED') {
    return { opens: false, hint: t('aplicaciones_may_request'), reason, request: 'first' };
  }
  if (administers && state === 'REJECTED') {
    return { opens: false, hint: t('aplicaciones_may_correct'), reason, request: 'correct' };
  }
  return { opens: false, hint: t(`aplicaciones_hint_${state}`), reason, request: null };
}

/** CONVENIOS first: it is what this program is for. */
export function inOrder(applications: Application[]): Application[] {
  return applications.toSorted((a, b) => Number(b.code === CONVENIOS) - Number(a.code === CONVENIOS));
}

/** What happened to a request, in words. */
export function eventText({ state, revision }: ApplicationEvent): string {
  switch (state) {
    case 'IN_REVIEW':
      return t('aplicaciones_follow_in_review');
    case 'APPROVED':
      return t('aplicaciones_follow_approved');
    case 'REJECTED':
      return t('aplicaciones_follow_rejected');
    default:
      return t(revision > 1 ? 'aplicaciones_follow_again' : 'aplicaciones_follow_sent');
  }
}
