import { describe, expect, it } from 'vitest';
import {
  ago,
  agoExact,
  dayOf,
  formatDateTime,
  formatDocument,
  formatTime,
  fullName,
  maskDocument,
  nearMoment,
} from './format';
import { CARD } from './testing/hand';

describe('times are Colombian', () => {
  it('whatever the PC is set to', () => {
    expect(formatTime('2026-11-22T05:05:00Z')).toBe('00:05');
    expect(formatDateTime('2026-11-23T02:30:00Z')).toBe('22/11/2026, 21:30');
    expect(dayOf(new Date('2026-11-23T04:59:59Z'))).toBe('2026-11-22');
  });

  it('near moments are named by their day', () => {
    const now = new Date('2026-11-22T15:00:00Z');
    expect(nearMoment('2026-11-22T23:40:00Z', now)).toBe('hoy 18:40');
    expect(nearMoment('2026-11-23T05:00:00Z', now)).toBe('mañana 00:00');
    expect(nearMoment('2026-11-22T04:59:00Z', now)).toBe('ayer 23:59');
    expect(nearMoment('2026-11-25T13:00:00Z', now)).toBe('25 de nov 08:00');
  });
});

it('says how long ago, coarsely for people and exactly for the status bar', () => {
  expect([0, 59, 60, 3599, 3600, 86_399, 86_400].map(ago)).toEqual([
    'hace un momento',
    'hace un momento',
    'hace 1 min',
    'hace 59 min',
    'hace 1 h',
    'hace 23 h',
    'hace 1 día',
  ]);
  expect([-3, 0, 4.9, 61].map(agoExact)).toEqual(['hace 1 s', 'hace 1 s', 'hace 4 s', 'hace 1 min']);
});

it('writes documents for the eye, and masks them for lists', () => {
  const document = (number: string, kind: 'CC' | 'PA' = 'CC') => ({ kind, number });
  expect(formatDocument(document('1045678901'))).toBe('CC 1.045.678.901');
  expect(formatDocument(document('123'))).toBe('CC 123');
  expect(formatDocument(document('AV123456', 'PA'))).toBe('PA AV123456');
  expect(maskDocument(document('1045678901'))).toBe('•••8901');
  expect(maskDocument(document('1234'))).toBe('•••4');
});

it('leaves out the names a person does not have', () => {
  const person = CARD.affiliate;
  if (!person) throw new Error('the card of the tests has a person');
  expect(fullName(person)).toBe('PÉREZ GÓMEZ, JUAN');
  expect(fullName({ ...person, second_surname: null, second_name: 'JOSÉ' })).toBe('PÉREZ, JUAN JOSÉ');
});
