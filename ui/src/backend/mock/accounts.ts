/** What the invented desk makes of NITs, addresses and passwords: enough for the screens, not the rules themselves. */
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { PasswordJudged } from '../../bindings/PasswordJudged';

/** The code of every mail. */
export const CODE = '123456';

/** The one NIT with a right check digit. */
export function checkNit(text: string): string | null {
  const kept = text.replace(/[\s.]/g, '');
  return kept === '900123456-8' ? kept : null;
}

export function checkContact(email: string, phone: string): ErrorCode | null {
  if (!/^\S+@\S+\.\S+$/.test(email.trim())) return 'EMAIL_INVALID';
  return /^[+\d\s]{7,}$/.test(phone) ? null : 'PHONE_INVALID';
}

export function judgePassword(password: string, personal: string[]): PasswordJudged {
  if (password.length < 10) return { weakness: 'TOO_SHORT', strength: null };
  if (/^1234567890|^colombia/i.test(password)) return { weakness: 'COMMON', strength: null };
  if (personal.some((text) => text !== '' && password.includes(text)))
    return { weakness: 'PERSONAL', strength: null };
  return {
    weakness: null,
    strength: password.length >= 16 ? 'STRONG' : password.length >= 12 ? 'GOOD' : 'FAIR',
  };
}
