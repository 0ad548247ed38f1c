import { describe, expect, it } from 'vitest';
import type { History } from '../../bindings/History';
import type { HistoryRow } from '../../bindings/HistoryRow';
import { ROW, VOIDED } from '../../testing/hand';
import { leftOut, withVoid } from './totals';
import { voidedBy, voidStanding, whyVoided } from './voided';

const rows = (...states: HistoryRow['state'][]): HistoryRow[] =>
  states.map((state, index) => ({ ...ROW, id: `report-${index}`, state }));

describe('what the totals leave out', () => {
  it('is nothing while every row counts', () => {
    expect(leftOut(rows('queued', 'accepted', 'accepted_with_note'))).toBeNull();
    expect(leftOut([])).toBeNull();
  });

  it('is named, with how many', () => {
    expect(leftOut(rows('accepted', 'voided'))).toBe('No se suman: 1 anulado.');
    expect(leftOut(rows('voided', 'needs_attention', 'voided', 'withdrawn'))).toBe(
      'No se suman: 1 que requiere atención, 1 desistido y 2 anulados.',
    );
  });
});

describe('a use taken back', () => {
  const history: History = {
    rows: [ROW, { ...ROW, id: 'report-2', tariff: 'A' }],
    totals: [
      { tariff: 'A', uses: 1 },
      { tariff: 'B', uses: 1 },
    ],
    complete: true,
    cause: null,
  };

  it('stays in the list with its void, and is counted no more', () => {
    const after = withVoid(history, ROW.id, VOIDED);
    expect(after.rows).toHaveLength(2);
    expect(after.rows[0]).toEqual({ ...ROW, state: 'voided', voided: VOIDED, may_void: false });
    expect(after.totals).toEqual([{ tariff: 'A', uses: 1 }]);
  });

  it('is taken out of the totals once', () => {
    const after = withVoid(history, ROW.id, VOIDED);
    expect(withVoid(after, ROW.id, VOIDED)).toBe(after);
    expect(withVoid(history, 'another', VOIDED)).toBe(history);
  });
});

describe('the void under the use', () => {
  it('says when, who and why', () => {
    expect(voidedBy(VOIDED)).toBe('Anulado el 22/11/2026, 10:40 por Ana Rodríguez');
    expect(whyVoided(VOIDED)).toBe('Se reportó dos veces');
    expect(whyVoided({ ...VOIDED, reason: 'OTHER', text: 'Llegó tarde' })).toBe('Otro motivo: «Llegó tarde»');
  });

  it('says how it stands until Hanna has it', () => {
    expect(voidStanding(VOIDED)).toBe('Por enviar');
    expect(voidStanding({ ...VOIDED, state: 'needs_attention' })).toBe('Requiere atención');
    expect(voidStanding({ ...VOIDED, state: 'accepted' })).toBeNull();
  });
});
