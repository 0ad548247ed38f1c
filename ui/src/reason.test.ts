import { expect, it } from 'vitest';
import { REASON_TEXT_MAX, reasonLength, reasonProblem } from './reason';

it('is counted as the desk counts it: whole characters, without the spaces around', () => {
  expect(reasonLength('  ñandú 🙂 \n')).toBe(7);
  expect(reasonProblem('🙂'.repeat(REASON_TEXT_MAX), true)).toBeNull();
});

it('is missing only where it is needed', () => {
  expect(reasonProblem('  ', true)?.code).toBe('REASON_REQUIRED');
  expect(reasonProblem('  ', false)).toBeNull();
});

it('is never cut: what is too long is said to be', () => {
  const error = reasonProblem('a'.repeat(REASON_TEXT_MAX + 1), false);
  expect(error).toEqual({ code: 'REASON_TOO_LONG', params: { max: REASON_TEXT_MAX } });
});
