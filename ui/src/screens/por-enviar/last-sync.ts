/** How the last delivery of what had waited reads. Pure. */
import type { LastSync } from '../../bindings/LastSync';
import { plural } from '../../i18n/i18n';

export interface Tally {
  accepted: number;
  noted: number;
  refused: number;
}

export function tally({ groups }: LastSync): Tally {
  const sum = (of: (group: Tally) => number) => groups.reduce((all, group) => all + of(group), 0);
  return {
    accepted: sum(({ accepted }) => accepted),
    noted: sum(({ noted }) => noted),
    refused: sum(({ refused }) => refused),
  };
}

/** `Se entregaron 12 registros que esperaban: 10 aceptados, 1 con observación, 1 requiere atención`. */
export function summary(sync: LastSync): string {
  const { accepted, noted, refused } = tally(sync);
  const parts = [
    accepted > 0 && plural('last_sync_accepted', accepted),
    noted > 0 && plural('last_sync_noted', noted),
    refused > 0 && plural('last_sync_refused', refused),
  ].filter(Boolean);
  return `${plural('last_sync_sent', accepted + noted + refused)}: ${parts.join(', ')}`;
}
