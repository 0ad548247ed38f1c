import { describe, expect, it } from 'vitest';
import type { Card } from '../../bindings/Card';
import type { Reported } from '../../bindings/Reported';
import type { Voided } from '../../bindings/Voided';
import { CARD, REPORTED, VOIDED } from '../../testing/hand';
import { announcement, bandTariff, originLine, replacedLine, tone, usedTodayLine, useLine } from './card';

const NOW = new Date('2026-11-22T15:32:00Z');
const SHOWN_MS = NOW.getTime();
const copy: Card = {
  ...CARD,
  verdict: 'ACTIVE_FROM_COPY',
  source: 'copy',
  age_s: 5 * 3600,
  valid_until: '2026-11-22T23:40:00Z',
  cause: 'UNREACHABLE',
};

describe('the second line', () => {
  it('says how fresh an online answer is, and ages with the card', () => {
    expect(originLine(CARD, SHOWN_MS, NOW)).toBe('En línea · hace un momento');
    expect(originLine(CARD, SHOWN_MS - 90_000, NOW)).toBe('En línea · hace 1 min');
  });

  it('says how old a copy is and when it expires, in Colombian time', () => {
    expect(originLine(copy, SHOWN_MS, NOW)).toBe('Según copia de hace 5 h · vence hoy 18:40');
    const tomorrow = { ...copy, valid_until: '2026-11-23T13:05:00Z' };
    expect(originLine(tomorrow, SHOWN_MS, NOW)).toBe('Según copia de hace 5 h · vence mañana 08:05');
  });

  it('says of no answer that it is no refusal', () => {
    expect(originLine({ ...CARD, verdict: 'NO_DATA', source: 'none' }, SHOWN_MS, NOW)).toBe(
      'No es una negativa',
    );
  });
});

describe('colour and tariff', () => {
  it('is green only for the two usable verdicts, and never by default', () => {
    expect(tone('ACTIVE')).toBe('yes');
    expect(tone('ACTIVE_FROM_COPY')).toBe('yes');
    expect(tone('NOT_ACTIVE')).toBe('no');
    expect(tone('NOT_REGISTERED')).toBe('no');
    expect(tone('NO_DATA')).toBe('none');
  });

  it('shows no preferential tariff in big letters beside a refusal', () => {
    expect(bandTariff(CARD)).toBe('B');
    expect(bandTariff({ ...CARD, verdict: 'NOT_ACTIVE', tariff: 'A' })).toBeNull();
    expect(bandTariff({ ...CARD, verdict: 'NOT_REGISTERED', tariff: 'D' })).toBe('D');
  });
});

it('names the latest use of today, and how many more', () => {
  const norte = { occurred_at: '2026-11-22T13:00:00Z', branch_name: 'Sede Norte' };
  const sur = { occurred_at: '2026-11-22T15:30:00Z', branch_name: 'Sede Sur' };
  expect(usedTodayLine({ ...CARD, used_today: [norte] })).toBe('Ya se reportó hoy a las 08:00 en Sede Norte');
  expect(usedTodayLine({ ...CARD, used_today: [norte, sur] })).toBe(
    'Ya se reportó hoy a las 10:30 en Sede Sur y 1 vez más',
  );
  expect(usedTodayLine({ ...CARD, used_today: [norte, norte, sur] })).toContain('y 2 veces más');
  expect(usedTodayLine(CARD)).toBe('Hoy ya se reportó un uso de esta persona');
});

it('claims of a use only what is known', () => {
  const line = (state: Reported['state'], voided: Voided | null = null) =>
    useLine({ ...REPORTED, state }, voided);
  expect(line('queued')).toEqual({ how: 'saved', text: 'Uso guardado · por enviar' });
  expect(line('sending')).toEqual(line('queued'));
  expect(line('accepted').text).toBe('Uso guardado · enviado');
  expect(line('accepted_with_note').how).toBe('saved');
  expect(line('needs_attention').text).toContain('requiere atención');
  expect(line('withdrawn').text).toContain('no se cuenta');
  expect(line('needs_attention').how).toBe('wrong');
  expect(line('accepted', VOIDED)).toEqual({ how: 'voided', text: 'Uso anulado a las 10:40' });
  const refused = line('accepted', { ...VOIDED, state: 'needs_attention' });
  expect(refused).toMatchObject({ how: 'wrong', text: expect.stringContaining('sigue contado') });
});

it('gives notice of a verdict that took the place of another, and of what was saved on it', () => {
  expect(replacedLine(CARD)).toBeNull();
  expect(replacedLine({ ...CARD, replaces: 'ACTIVE' })).toBeNull();
  expect(replacedLine({ ...CARD, replaces: 'NO_DATA' })).toContain('antes decía SIN DATO, ahora dice ACTIVO');
  const refused: Card = { ...CARD, verdict: 'NOT_ACTIVE', replaces: 'ACTIVE_FROM_COPY', reported: REPORTED };
  expect(replacedLine(refused)).toContain('se conserva');
});

it('says the card aloud without the name of the person', () => {
  const spoken = announcement(copy, originLine(copy, SHOWN_MS, NOW));
  expect(spoken).toContain('ACTIVO según copia. Tarifa B.');
  expect(spoken).not.toContain('PÉREZ');
  const refused: Card = {
    ...CARD,
    verdict: 'NOT_ACTIVE',
    reasons: [{ code: 'COMPANY_SUSPENDED', fixer: 'EMPRESA', asking_again_helps: true }],
  };
  expect(announcement(refused, '')).toContain('suspendida por mora');
});
