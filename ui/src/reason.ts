/** The words in which an operator says why: of a void, of what is given up. Pure. */
import type { CommandError } from './backend/backend';

/** The longest the desk takes, in characters. */
export const REASON_TEXT_MAX = 200;

/** How many characters the desk counts: whole ones, without the spaces around. */
export function reasonLength(text: string): number {
  return [...text.trim()].length;
}

/** What the desk would say against it; `null` when it may be sent. */
export function reasonProblem(text: string, required: boolean): CommandError | null {
  const length = reasonLength(text);
  if (length > REASON_TEXT_MAX) return { code: 'REASON_TOO_LONG', params: { max: REASON_TEXT_MAX } };
  return required && length === 0 ? { code: 'REASON_REQUIRED', params: {} } : null;
}
