/** Which field of which step an error is about, and what keeps a step from being left. Pure. */
import type { CommandError } from '../../backend/backend';
import type { ErrorCode } from '../../bindings/ErrorCode';
import { sentence } from '../../errors';
import { t } from '../../i18n/i18n';

export const STEPS = ['entity', 'person', 'password', 'notice', 'code'] as const;
export type Step = (typeof STEPS)[number] | 'done';

/** The version of the privacy notice in the catalogue: its month. */
export const PRIVACY_NOTICE = '2026-11';

export type FieldName =
  'nit' | 'entity_name' | 'display_name' | 'email' | 'phone' | 'password' | 'accepted' | 'code' | 'current';

/** One problem at a time; without a field it is about the whole attempt (no connection, a server that failed). */
export interface Problem {
  field: FieldName | null;
  text: string;
}

/** What is typed until the code is asked for. */
export interface Typed {
  nit: string;
  entity_name: string;
  display_name: string;
  email: string;
  phone: string;
  password: string;
  accepted: boolean;
}

const FIELDS: Partial<Record<ErrorCode, FieldName>> = {
  NIT_INVALID: 'nit',
  NIT_CHECK_DIGIT_MISSING: 'nit',
  NIT_CHECK_DIGIT_WRONG: 'nit',
  EMAIL_INVALID: 'email',
  PHONE_INVALID: 'phone',
  WEAK_PASSWORD: 'password',
  CODE_WRONG: 'code',
  CODE_EXPIRED: 'code',
  WRONG_CREDENTIALS: 'current',
};

const STEP_OF: Partial<Record<FieldName, Step>> = {
  nit: 'entity',
  email: 'person',
  phone: 'person',
  password: 'password',
  code: 'code',
};

/** What to show for a refused attempt. */
export function refused(error: CommandError): Problem {
  const field = FIELDS[error.code] ?? null;
  return { field, text: field === 'current' ? t('cambiar_wrong') : sentence(error) };
}

/** The step whose field a problem is about; where it stands if it is about none. */
export function stepOf(problem: Problem, here: Step): Step {
  return (problem.field && STEP_OF[problem.field]) ?? here;
}

/** What is still empty in a step. */
export function missing(step: Step, typed: Typed): Problem | null {
  const first = (...fields: (keyof Typed & FieldName)[]): Problem | null => {
    const field = fields.find((name) => typed[name].toString().trim() === '');
    return field ? { field, text: t('cuenta_empty') } : null;
  };
  if (step === 'entity') return first('nit', 'entity_name');
  if (step === 'person') return first('display_name', 'email', 'phone');
  if (step === 'password') return first('password');
  if (step === 'notice' && !typed.accepted) return { field: 'accepted', text: t('crear_accept_missing') };
  return null;
}

/** How many whole seconds there are until a moment; the time of the screens is up to a second behind. */
export function secondsUntil(moment_ms: number, now_ms: number): number {
  return Math.max(0, Math.floor((moment_ms - now_ms) / 1000));
}
