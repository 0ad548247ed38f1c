/** What the keyboard means on Consulta. */
import type { DocumentKind } from '../../bindings/DocumentKind';

/** In the order of the list. CC is the usual one. */
export const KINDS = ['CC', 'CE', 'TI', 'RC', 'PA', 'PPT'] as const satisfies DocumentKind[];

export function neighbourKind(kind: DocumentKind, step: 1 | -1): DocumentKind {
  return KINDS[(KINDS.indexOf(kind) + step + KINDS.length) % KINDS.length] ?? 'CC';
}

type Pressed = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey' | 'repeat'>;

/** A key held down is pressed once: a report is never repeated by a heavy hand. */
export function keyAction(event: Pressed): 'report' | 'again' | 'escape' | null {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.key === 'F2') return event.shiftKey ? 'again' : 'report';
  return event.key === 'Escape' ? 'escape' : null;
}

/** Whether the key is the beginning of a number typed (or scanned) while the focus is elsewhere. */
export function startsTyping(event: Pressed & { target: EventTarget | null }): boolean {
  if (event.key.length !== 1 || event.key === ' ' || event.ctrlKey || event.altKey || event.metaKey)
    return false;
  return !(event.target instanceof Element && event.target.matches('input, select, textarea'));
}
