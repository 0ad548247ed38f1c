import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import type { Application } from '../../bindings/Application';
import type { ApplicationEvent } from '../../bindings/ApplicationEvent';
import type { Session } from '../../bindings/Session';
import { Hand } from '../../testing/hand';
import { eventText, inOrder, tile } from './aplicaciones';
import { Applications, LOOK_MS } from './applications.svelte';

const CONVENIOS: Application = {
  code: 'CONVENIOS',
  name: 'CONVENIOS',
  description: '',
  state: 'APPROVED',
  reason: null,
};
const OTHER: Application = { ...CONVENIOS, code: 'SUBSIDIOS', name: 'SUBSIDIOS' };

describe('a tile', () => {
  it('opens CONVENIOS when it is approved, and only then', () => {
    for (const administers of [true, false]) {
      expect(tile(CONVENIOS, administers)).toEqual({ opens: true });
      for (const state of ['NOT_REQUESTED', 'SUBMITTED', 'IN_REVIEW', 'REJECTED'] as const) {
        expect(tile({ ...CONVENIOS, state }, administers), state).toMatchObject({ opens: false });
      }
    }
  });

  it('gives the reason of a rejection', () => {
    const reason = 'El certificado está vencido.';
    expect(tile({ ...CONVENIOS, state: 'REJECTED', reason }, false)).toMatchObject({ reason });
  });

  it('opens nothing else, approved or not, and asks for nothing else', () => {
    expect(tile(OTHER, true)).toMatchObject({ opens: false, request: null });
    expect(tile({ ...OTHER, state: 'NOT_REQUESTED' }, true)).toMatchObject({ request: null });
  });

  it('is asked for and put right by an administrator alone, while nothing is under way', () => {
    const request = (state: Application['state'], administers: boolean) => {
      const shown = tile({ ...CONVENIOS, state }, administers);
      return shown.opens ? 'opens' : shown.request;
    };
    expect(request('NOT_REQUESTED', true)).toBe('first');
    expect(request('REJECTED', true)).toBe('correct');
    expect(request('SUBMITTED', true)).toBeNull();
    expect(request('IN_REVIEW', true)).toBeNull();
    for (const state of ['NOT_REQUESTED', 'REJECTED'] as const) expect(request(state, false)).toBeNull();
  });

  it('stands first when it is CONVENIOS; the rest is as the server orders it', () => {
    const third = { ...OTHER, code: 'AFILIACIONES' };
    expect(inOrder([OTHER, third, CONVENIOS])).toEqual([CONVENIOS, OTHER, third]);
  });
});

it('tells a request that was sent from one that was sent again', () => {
  const event: ApplicationEvent = {
    at: '2026-11-22T15:32:00Z',
    state: 'SUBMITTED',
    revision: 1,
    reason: null,
    by: null,
  };
  expect(eventText(event)).toBe('Enviada a la caja');
  expect(eventText({ ...event, revision: 2 })).toBe('Corregida y enviada de nuevo');
  expect(eventText({ ...event, state: 'REJECTED', revision: 2 })).toBe('Rechazada');
});

describe('the answer of the caja', () => {
  const session = (state: Application['state'], roles: Session['roles'] = ['ENTITY_ADMIN']): Session => ({
    operator: { id: 'o', username: 'nadia', display_name: 'Nadia' },
    entity: { id: 'e', nit: '899999068-1', name: 'GYM NUEVO' },
    roles,
    branches: [],
    branch: null,
    applications: [{ ...CONVENIOS, state }],
    locked: false,
  });
  let hand: Hand;
  let desk: Desk;
  let applications: Applications;
  let stop: () => void;

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
    hand = new Hand();
    desk = new Desk(hand.backend);
    desk.session = session('IN_REVIEW');
    applications = new Applications(desk);
    stop = applications.start();
    return () => stop();
  });

  it('shows by itself while the screen is open, and is not looked for after that', async () => {
    await hand.answer('refresh_session', session('IN_REVIEW'));
    await hand.answer('application_requests', []);
    await vi.advanceTimersByTimeAsync(LOOK_MS);
    await hand.answer('refresh_session', session('APPROVED'));
    await hand.answer('application_requests', []);
    expect(applications.approved_now).toBe(true);
    expect(desk.session?.applications[0]?.state).toBe('APPROVED');
    await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
    expect(hand.count('refresh_session')).toBe(2);
  });

  it('is not new to whoever had it before', async () => {
    stop();
    desk.session = session('APPROVED');
    const later = new Applications(desk);
    stop = later.start();
    await hand.answer('refresh_session', session('APPROVED'), 1);
    await hand.answer('application_requests', []);
    expect(later.approved_now).toBe(false);
  });

  it('is missed quietly, unless one asked for it', async () => {
    await hand.refuse('refresh_session', 'SERVER_UNREACHABLE');
    expect(applications.error).toBeNull();
    void applications.reload();
    void applications.reload();
    await hand.refuse('refresh_session', 'SERVER_UNREACHABLE');
    expect(applications.error?.code).toBe('SERVER_UNREACHABLE');
    expect([applications.working, hand.count('refresh_session')]).toEqual([false, 2]);
  });

  it('of an operator is the tile alone', async () => {
    await hand.answer('refresh_session', session('IN_REVIEW', ['OPERATOR']));
    expect(hand.count('application_requests')).toBe(0);
  });

  it('signs nobody in again who has signed out', async () => {
    desk.session = null;
    await hand.answer('refresh_session', session('APPROVED'));
    expect(desk.session).toBeNull();
  });
});
