/** What *Anular uso* asks for. Pure. */
import type { CommandError } from '../../backend/backend';
import type { VoidReason } from '../../bindings/VoidReason';
import { sentence } from '../../errors';
import { t } from '../../i18n/i18n';
import { reasonProblem } from '../../reason';

/** The use to take back, as the dialog names it: the person masked. */
export interface Use {
  report_id: string;
  document_masked: string;
  occurred_at: string;
  branch_name: string;
}

/** In the order of the list. */
export const REASONS = [
  'WRONG_PERSON',
  'REPORTED_TWICE',
  'NOT_USED',
  'OTHER',
] as const satisfies VoidReason[];

/** What is wrong, at the field it is about; at none when no field can put it right. */
export interface Problem {
  field: 'reason' | 'text' | null;
  text: string;
}

/** Whether the reason needs words. */
export function needsText(reason: VoidReason | null): boolean {
  return reason === 'OTHER';
}

/** What is missing before the desk is asked. */
export function missing(reason: VoidReason | null, text: string): Problem | null {
  if (reason === null) return { field: 'reason', text: t('anular_reason_missing') };
  const error = reasonProblem(text, needsText(reason));
  return error && refused(error);
}

export function refused(error: CommandError): Problem {
  const about_text = error.code === 'REASON_REQUIRED' || error.code === 'REASON_TOO_LONG';
  return { field: about_text ? 'text' : null, text: sentence(error) };
}
