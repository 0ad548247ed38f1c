import { describe, expect, it } from 'vitest';
import { filtersOf, queryOf } from './filters';
import { check, isDay, parseDay, preset, presetOf, writeDay } from './range';

describe('a typed day', () => {
  it('is read in the ways people write it', () => {
    for (const text of ['05/11/2026', '5/11/2026', '5-11-26', '05.11.2026', '05112026', ' 5 11 2026 ']) {
      expect(parseDay(text), text).toBe('2026-11-05');
    }
  });

  it('is refused when there is no such day, never moved to another', () => {
    for (const text of [
      '',
      '31/02/2026',
      '29/02/2026',
      '00/11/2026',
      '11/13/2026',
      '2026-11-05',
      '5/11',
      'hoy',
      '1/1/1999',
    ]) {
      expect(parseDay(text), text).toBeNull();
    }
    expect(parseDay('29/02/2028')).toBe('2028-02-29');
  });

  it('is written back as it is read', () => {
    expect(parseDay(writeDay('2026-11-05'))).toBe('2026-11-05');
  });
});

describe('a range', () => {
  it('says which field is wrong', () => {
    expect(check({ from: 'x', to: '05/11/2026' })).toMatchObject({
      errors: { from: expect.stringContaining('05/11/2026') },
    });
    expect(check({ from: '06/11/2026', to: '05/11/2026' })).toEqual({
      errors: { to: 'La fecha final debe ser igual o posterior a la inicial.' },
    });
  });

  it('may be a single day', () => {
    expect(check({ from: '05/11/2026', to: '05/11/2026' })).toEqual({
      range: { from: '2026-11-05', to: '2026-11-05' },
    });
  });

  it('has presets that know the length of months and the turn of the year', () => {
    expect(preset('today', '2026-11-22')).toEqual({ from: '2026-11-22', to: '2026-11-22' });
    expect(preset('this_month', '2026-11-22')).toEqual({ from: '2026-11-01', to: '2026-11-30' });
    expect(preset('last_month', '2028-03-31')).toEqual({ from: '2028-02-01', to: '2028-02-29' });
    expect(preset('last_month', '2027-01-05')).toEqual({ from: '2026-12-01', to: '2026-12-31' });
    expect(presetOf({ from: '2026-11-01', to: '2026-11-30' }, '2026-11-22')).toBe('this_month');
    expect(presetOf({ from: '2026-11-02', to: '2026-11-30' }, '2026-11-22')).toBeUndefined();
  });
});

describe('the filters in the address', () => {
  const TODAY = '2026-11-22';

  it('are found again', () => {
    const query = { from: '2026-10-03', to: '2026-10-04', branch_id: 'sede-1' };
    expect(queryOf(filtersOf(query), TODAY)).toEqual(query);
    expect(queryOf(filtersOf({ ...query, branch_id: null }), TODAY)).toEqual({ ...query, branch_id: null });
  });

  it('are this month and every sede when they say nothing or nonsense', () => {
    const usual = { from: '2026-11-01', to: '2026-11-30', branch_id: null };
    expect(queryOf({}, TODAY)).toEqual(usual);
    expect(queryOf({ desde: '2026-02-31', hasta: '2026-03-01' }, TODAY)).toEqual(usual);
    expect(queryOf({ desde: '2026-03-02', hasta: '2026-03-01' }, TODAY)).toEqual(usual);
    expect(isDay('2026-02-31')).toBe(false);
    expect(isDay(undefined)).toBe(false);
  });
});
