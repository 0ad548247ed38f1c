import { expect, it } from 'vitest';
import type { LastSync } from '../../bindings/LastSync';
import { summary, tally } from './last-sync';

const SYNC: LastSync = {
  began_at: '2026-11-22T15:32:00Z',
  ended_at: '2026-11-22T15:32:04Z',
  groups: [
    { kind: 'usage_report', branch_name: 'Sede Norte', tariff: 'A', accepted: 6, noted: 1, refused: 0 },
    { kind: 'usage_report', branch_name: 'Sede Norte', tariff: 'B', accepted: 3, noted: 0, refused: 1 },
    { kind: 'void', branch_name: 'Sede Norte', tariff: 'B', accepted: 1, noted: 0, refused: 0 },
  ],
  noted: [],
};

it('counts everything, whatever it is and wherever it happened', () => {
  expect(tally(SYNC)).toEqual({ accepted: 10, noted: 1, refused: 1 });
});

it('says in one sentence how it went, and nothing of what did not happen', () => {
  expect(summary(SYNC)).toBe(
    'Se entregaron 12 registros que esperaban: 10 aceptados, 1 con observación, 1 requiere atención',
  );
  const one = { kind: 'void' as const, branch_name: 'S', tariff: null, accepted: 1, noted: 0, refused: 0 };
  expect(summary({ ...SYNC, groups: [one] })).toBe('Se entregó 1 registro que esperaba: 1 aceptado');
});
