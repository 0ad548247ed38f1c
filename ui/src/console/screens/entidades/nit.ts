/** A NIT as people write it: digits, and the check digit after a hyphen. Pure. */
import type { Key } from '../../i18n';

/** The DIAN's weights, from the last digit. */
const WEIGHTS = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43];

/** As the contract takes it, or which sentence says what is wrong. */
export function readNit(typed: string): { nit: string } | { problem: Key } {
  const parts = /^(\d{6,10})(?:-(\d))?$/.exec(typed.replace(/[\s.]/g, ''));
  const [, digits, check] = parts ?? [];
  if (digits === undefined) return { problem: 'error_NIT_INVALID' };
  if (check === undefined) return { problem: 'error_NIT_CHECK_DIGIT_MISSING' };
  return checkDigit(digits) === Number(check)
    ? { nit: `${digits}-${check}` }
    : { problem: 'error_NIT_CHECK_DIGIT_WRONG' };
}

function checkDigit(digits: string): number {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, place) => total + Number(digit) * (WEIGHTS[place] ?? 0), 0);
  const rest = sum % 11;
  return rest > 1 ? 11 - rest : rest;
}
