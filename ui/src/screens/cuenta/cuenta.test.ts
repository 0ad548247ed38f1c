import { describe, expect, it } from 'vitest';
import { missing, refused, secondsUntil, stepOf, type Typed } from './cuenta';

const TYPED: Typed = {
  nit: '900123456-8',
  entity_name: 'GYM NUEVO',
  display_name: 'Nadia Núñez',
  email: 'nadia@gym-nuevo.co',
  phone: '3001234567',
  password: 'cuatro xilofonos',
  accepted: true,
};

describe('a step', () => {
  it('is left when nothing in it is empty', () => {
    for (const step of ['entity', 'person', 'password', 'notice'] as const)
      expect(missing(step, TYPED)).toBeNull();
  });

  it('names its first empty field, and no other step’s', () => {
    const empty = { ...TYPED, entity_name: ' ', email: '', password: '', accepted: false };
    expect(missing('entity', empty)?.field).toBe('entity_name');
    expect(missing('person', empty)?.field).toBe('email');
    expect(missing('password', empty)?.field).toBe('password');
    expect(missing('notice', empty)?.field).toBe('accepted');
  });
});

describe('a refusal', () => {
  it('goes back to the field it is about', () => {
    const problem = refused({ code: 'EMAIL_INVALID', params: {} });
    expect([problem.field, stepOf(problem, 'notice')]).toEqual(['email', 'person']);
  });

  it('stays where it came when it is about none', () => {
    const problem = refused({ code: 'SERVER_UNREACHABLE', params: {} });
    expect([problem.field, stepOf(problem, 'notice')]).toEqual([null, 'notice']);
  });
});

it('counts the seconds down to none', () => {
  expect([secondsUntil(60_000, 0), secondsUntil(60_000, 58_001), secondsUntil(60_000, 99_000)]).toEqual([
    60, 1, 0,
  ]);
});
