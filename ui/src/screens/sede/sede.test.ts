import { expect, it } from 'vitest';
import type { Branch } from '../../bindings/Branch';
import { matching, move } from './sede';

const branch = (code: string, name: string, city: string): Branch => ({ id: code, code, name, city });
const NORTE = branch('GYM-01', 'Sede Norte', 'Bogotá');
const SUR = branch('GYM-02', 'Sede Sur', 'Ibagué');
const BOTH = [NORTE, SUR];

it('finds by name, city and code, in any case and without accents', () => {
  expect(matching(BOTH, 'norte')).toEqual([NORTE]);
  expect(matching(BOTH, 'BOGOTA')).toEqual([NORTE]);
  expect(matching(BOTH, 'ibagué')).toEqual([SUR]);
  expect(matching(BOTH, 'gym-02')).toEqual([SUR]);
});

it('wants every word, in any order, and shows all without any', () => {
  expect(matching(BOTH, 'bogota sede')).toEqual([NORTE]);
  expect(matching(BOTH, 'bogota sur')).toEqual([]);
  expect(matching(BOTH, '  ')).toEqual(BOTH);
});

it('walks the list and stops at its ends', () => {
  expect(move('ArrowDown', 0, 2)).toBe(1);
  expect(move('ArrowDown', 1, 2)).toBe(1);
  expect(move('ArrowUp', 0, 2)).toBe(0);
  expect(move('End', 0, 9)).toBe(8);
  expect(move('Home', 8, 9)).toBe(0);
  expect(move('a', 0, 2)).toBeNull();
});
