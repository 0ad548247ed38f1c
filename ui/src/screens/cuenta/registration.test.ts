import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Hand } from '../../testing/hand';
import { Forgotten } from './forgotten.svelte';
import { Registration } from './registration.svelte';

const SENT = { registration_id: 'r', expires_in_s: 1800, again_in_s: 60 };
const STRONG = { weakness: null, strength: 'STRONG' } as const;

let hand: Hand;
let registration: Registration;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
  hand = new Hand();
  registration = new Registration(hand.backend);
});

/** Fills everything in and goes on to the privacy notice. */
async function at_notice(): Promise<void> {
  Object.assign(registration.typed, {
    nit: '899999068-1',
    entity_name: 'GYM NUEVO',
    display_name: 'Nadia Núñez',
    email: 'nadia@gym-nuevo.co',
    phone: '3001234567',
    password: 'cuatro xilofonos',
  });
  void registration.next();
  await hand.answer('check_nit', '899999068-1');
  void registration.next();
  await hand.answer('check_contact', undefined);
  void registration.next();
  await hand.answer('judge_password', STRONG);
  registration.typed.accepted = true;
}

async function at_code(): Promise<void> {
  await at_notice();
  void registration.next();
  await hand.answer('register', SENT);
}

describe('creating a user', () => {
  it('goes step by step to the caja', async () => {
    await at_code();
    expect(registration.step).toBe('code');
    registration.code = '048213';
    void registration.next();
    await hand.answer('confirm_account', undefined);
    expect(hand.asked.at(-1)).toEqual(['confirm_account', 'r', '048213']);
    expect([registration.step, registration.typed.password]).toEqual(['done', '']);
  });

  it('stays at a step with something wrong, and says it at the field', async () => {
    void registration.next();
    expect(registration.problem?.field).toBe('nit');
    expect(hand.asked).toEqual([]);
    registration.typed.nit = '899999068-2';
    registration.typed.entity_name = 'GYM NUEVO';
    void registration.next();
    await hand.refuse('check_nit', 'NIT_CHECK_DIGIT_WRONG');
    expect([registration.step, registration.problem?.field]).toEqual(['entity', 'nit']);
  });

  it('does not go on with a weak password', async () => {
    await at_notice();
    registration.back();
    registration.typed.password = '1234567890';
    void registration.next();
    await hand.answer('judge_password', { weakness: 'COMMON', strength: null });
    expect([registration.step, registration.problem?.field]).toEqual(['password', 'password']);
  });

  it('loses nothing without a connection, and asks for the same again', async () => {
    await at_notice();
    const typed = { ...registration.typed };
    void registration.next();
    await hand.refuse('register', 'SERVER_UNREACHABLE');
    expect([registration.step, registration.problem?.field]).toEqual(['notice', null]);
    expect(registration.typed).toEqual(typed);
    void registration.next();
    await hand.answer('register', SENT);
    const [first, second] = hand.asked.filter(([command]) => command === 'register');
    expect(second).toEqual(first);
    expect([registration.step, registration.problem]).toEqual(['code', null]);
  });

  it('asks for one thing once, however often Enter is pressed', async () => {
    await at_notice();
    void registration.next();
    void registration.next();
    await hand.answer('register', SENT);
    expect(hand.count('register')).toBe(1);
  });

  it('goes back to the field that the server does not take', async () => {
    await at_notice();
    void registration.next();
    await hand.refuse('register', 'WEAK_PASSWORD');
    expect([registration.step, registration.problem?.field]).toEqual(['password', 'password']);
  });

  it('counts the time until another code, and says that it was sent', async () => {
    await at_code();
    expect(registration.again_at_ms - Date.now()).toBe(60_000);
    vi.advanceTimersByTime(60_000);
    void registration.resend();
    await hand.answer('resend_code', SENT);
    expect([registration.resent, registration.again_at_ms - Date.now()]).toEqual([true, 60_000]);
  });

  it('keeps what was typed when the data are corrected', async () => {
    await at_code();
    registration.restart();
    expect([registration.step, registration.typed.email]).toEqual(['entity', 'nadia@gym-nuevo.co']);
  });

  it('goes on with a registration of before the program was closed, and never over what is typed now', async () => {
    registration.resume({ id: 'r', email: 'nadia@gym-nuevo.co' });
    expect(registration.step).toBe('code');
    const other = new Registration(hand.backend);
    other.step = 'person';
    other.resume({ id: 'r', email: 'nadia@gym-nuevo.co' });
    expect([other.step, other.typed.email]).toEqual(['person', '']);
  });
});

describe('a forgotten password', () => {
  it('takes the code and another password', async () => {
    const forgotten = new Forgotten(hand.backend);
    void forgotten.next();
    expect(forgotten.problem?.field).toBe('email');
    forgotten.email = 'nadia@gym-nuevo.co';
    void forgotten.next();
    await hand.answer('forgot_password', { ...SENT, registration_id: null });
    forgotten.code = '048213';
    void forgotten.next();
    expect(forgotten.problem?.field).toBe('password');
    forgotten.password = 'cuatro xilofonos';
    void forgotten.next();
    await hand.refuse('reset_password', 'CODE_WRONG');
    expect([forgotten.problem?.field, forgotten.password]).toEqual(['code', 'cuatro xilofonos']);
    void forgotten.next();
    await hand.answer('reset_password', undefined);
    expect([forgotten.step, forgotten.password]).toEqual(['done', '']);
  });
});
