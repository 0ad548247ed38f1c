/** From what a command rejected with to a sentence of the catalogue. */
import type { CommandError } from './backend/backend';
import type { ErrorCode } from './bindings/ErrorCode';
import { isKey, t } from './i18n/i18n';
import { REASON_TEXT_MAX } from './reason';

/** For sentences whose number or version the desk did not give. */
const VAGUE = { retry_after_s: 'unos', count: 'registros', max: REASON_TEXT_MAX, version: 'más reciente' };

/** Whatever was thrown, as a command error. Anything that is not one is a fault of the program. */
export function commandError(thrown: unknown): CommandError {
  if (isCommandError(thrown)) return { code: thrown.code, params: thrown.params ?? {} };
  return { code: 'INTERNAL', params: {} };
}

/** What happened, what it means and what to do, in one or two sentences. */
export function sentence(error: CommandError): string {
  return t(`error_${error.code}`, { ...VAGUE, ...error.params });
}

/** Which field of the sign-in form an error is about: that is where the focus goes. */
export function signInField(code: ErrorCode): 'username' | 'password' {
  return code === 'ACCOUNT_NOT_ACTIVE' || code === 'SECOND_FACTOR_REQUIRED' || code === 'KNOWN_OPERATOR_FIRST'
    ? 'username'
    : 'password';
}

function isCommandError(thrown: unknown): thrown is CommandError {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return false;
  return typeof thrown.code === 'string' && isKey(`error_${thrown.code}`);
}
