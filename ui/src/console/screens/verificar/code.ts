/** The code of a receipt or a report, as it is typed. Which letter is wrong only the server knows. */

/** How many letters and digits a code has. */
export const CODE_LETTERS = 28;
/** As printed it has 34; a few more for what is pasted around it. */
export const CODE_MAX = 40;

const GROUP = /.{4}(?=.)/gu;
/** `C` or `R`, and Crockford's letters: none that is taken for another. */
const CODE = /^[CR][0-9A-HJKMNP-TV-Z]+$/;

export type ReadCode =
  | { code: string; wrong?: never }
  | { wrong: 'empty' | 'first' | 'letters' }
  | { wrong: 'length'; count: number };

/** As printed: in capitals, groups of four. Separators may be any or none; O is 0, I and L are 1. */
export function readCode(typed: string): ReadCode {
  const letters = typed
    .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  const count = [...letters].length;
  if (count === 0) return { wrong: 'empty' };
  if (!/^[CR]/.test(letters)) return { wrong: 'first' };
  if (count !== CODE_LETTERS) return { wrong: 'length', count };
  return CODE.test(letters) ? { code: letters.replace(GROUP, '$&-') } : { wrong: 'letters' };
}

/** What a code is of. */
export function codeOf(code: string): 'use' | 'report' {
  return code.startsWith('C') ? 'use' : 'report';
}
