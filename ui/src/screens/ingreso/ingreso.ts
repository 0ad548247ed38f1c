/** The sign-in form: what is missing, what went wrong, and where the focus goes. Pure. */
import type { CommandError } from '../../backend/backend';
import { sentence, signInField } from '../../errors';
import { t } from '../../i18n/i18n';

export type FieldName = 'username' | 'password';

/** One problem at a time, at the field it is about. */
export interface Problem {
  field: FieldName;
  text: string;
  /** About the field itself, or about the whole attempt (no connection, a server that failed). */
  about: 'field' | 'attempt';
}

/** What keeps the form from being sent. */
export function missing(username: string, password: string): Problem | null {
  if (username.trim() === '') return { field: 'username', text: t('ingreso_username_empty'), about: 'field' };
  if (password === '') return { field: 'password', text: t('ingreso_password_empty'), about: 'field' };
  return null;
}

/** What to show for a refused attempt. */
export function refused(error: CommandError): Problem {
  const about = ['WRONG_CREDENTIALS', 'ACCOUNT_NOT_ACTIVE', 'SECOND_FACTOR_REQUIRED'].includes(error.code)
    ? 'field'
    : 'attempt';
  return { field: signInField(error.code), text: sentence(error), about };
}
