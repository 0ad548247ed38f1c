/** What a tile says. Pure. */
import type { Application } from '../../bindings/Application';
import { t } from '../../i18n/i18n';
import { CONVENIOS } from '../../route';

/** What can be done with a tile: opened here, waited for, or used elsewhere. */
export type Tile = { opens: true } | { opens: false; hint: string; reason: string | null };

export function tile({ code, state, reason }: Application): Tile {
  if (code !== CONVENIOS) return { opens: false, hint: t('aplicaciones_elsewhere'), reason: null };
  if (state === 'APPROVED') return { opens: true };
  return { opens: false, hint: t(`aplicaciones_hint_${state}`), reason };
}

/** CONVENIOS first: it is what this program is for. */
export function inOrder(applications: Application[]): Application[] {
  return applications.toSorted((a, b) => Number(b.code === CONVENIOS) - Number(a.code === CONVENIOS));
}
