import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import type { Branch } from '../../bindings/Branch';
import type { EntityUser } from '../../bindings/EntityUser';
import { Hand } from '../../testing/hand';
import { actionsOn, branchesText, missing, rolesText } from './entidad';
import { Invitation } from './invitation.svelte';
import { Managing } from './managing.svelte';
import { REST_MS, Users } from './users.svelte';

const NORTH: Branch = { id: 'n', code: 'GYM-01', name: 'Sede Norte', city: 'Barranquilla' };
const SOUTH: Branch = { id: 's', code: 'GYM-02', name: 'Sede Sur', city: 'Soledad' };
const LUIS: EntityUser = {
  id: 'u',
  username: 'luis@gym.co',
  display_name: 'Luis Peñaranda',
  phone: null,
  state: 'ACTIVE',
  roles: ['OPERATOR'],
  branches: ['n'],
  last_sign_in_at: null,
  invited_at: null,
};

let hand: Hand;
let desk: Desk;

beforeEach(() => {
  vi.useFakeTimers();
  hand = new Hand();
  desk = new Desk(hand.backend);
});

describe('a row', () => {
  it('says where somebody works', () => {
    expect(branchesText(['s'], [NORTH, SOUTH])).toBe('Sede Sur');
    expect(branchesText(['s', 'n'], [NORTH, SOUTH])).toBe('Todas las sedes');
    expect(branchesText(['n'], [NORTH])).toBe('Sede Norte');
    expect(branchesText(['gone'], [NORTH])).toBe('Sin sedes');
  });

  it('says what they may do', () => {
    expect(rolesText(['OPERATOR', 'ENTITY_ADMIN'])).toBe('Operador · Administrador');
  });

  it('offers what can be done, and nothing that locks oneself out', () => {
    expect(actionsOn(LUIS, 'u')).toEqual([]);
    expect(actionsOn(LUIS, 'o')).toEqual(['reset', 'suspend']);
    expect(actionsOn({ ...LUIS, state: 'SUSPENDED' }, 'o')).toEqual(['reactivate']);
    expect(actionsOn({ ...LUIS, state: 'SUSPENDED_BY_CAJA' }, 'o')).toEqual([]);
    expect(actionsOn({ ...LUIS, state: 'INVITED' }, 'o')).toEqual(['again', 'suspend']);
  });
});

describe('the list', () => {
  let users: Users;

  beforeEach(async () => {
    users = new Users(desk);
    users.start();
    await hand.answer('entity_branches', [NORTH]);
    await hand.answer('entity_users', { items: [LUIS], next: 'more' });
  });

  it('follows the search once typing rests, and drops an older answer', async () => {
    users.typed('l');
    await vi.advanceTimersByTimeAsync(REST_MS);
    users.typed('lu');
    users.typed('lui');
    await vi.advanceTimersByTimeAsync(REST_MS);
    expect(hand.asked.filter(([command]) => command === 'entity_users').map(([, q]) => q)).toEqual([
      '',
      'l',
      'lui',
    ]);
    await hand.answer('entity_branches', [NORTH]);
    await hand.answer('entity_branches', [NORTH]);
    await hand.answer('entity_users', { items: [], next: null }, 1);
    await hand.answer('entity_users', { items: [LUIS], next: null });
    expect([users.users, users.shown_q]).toEqual([[], 'lui']);
  });

  it('goes on after the last row', async () => {
    void users.more();
    await hand.answer('entity_users', { items: [{ ...LUIS, id: 'v' }], next: null });
    expect(hand.asked.at(-1)).toEqual(['entity_users', '', 'more']);
    expect([users.users?.map(({ id }) => id), users.next]).toEqual([['u', 'v'], null]);
  });

  it('stays when it cannot be read anew, and says so', async () => {
    void users.read();
    await hand.refuse('entity_users', 'SERVER_UNREACHABLE');
    expect([users.users?.length, users.error?.code, users.loading]).toEqual([1, 'SERVER_UNREACHABLE', false]);
  });
});

describe('an invitation', () => {
  it('needs a name, an address and a role', () => {
    const form = { display_name: 'Luis', email: 'luis@gym.co', roles: [], branches: [] };
    expect(missing({ ...form, display_name: ' ' })?.field).toBe('display_name');
    expect(missing({ ...form, email: '' })?.field).toBe('email');
    expect(missing(form)?.field).toBe('roles');
    expect(missing({ ...form, roles: ['OPERATOR'] })).toBeNull();
  });

  it('takes the only sede there is', () => {
    expect(new Invitation(desk, [NORTH]).form.branches).toEqual(['n']);
    expect(new Invitation(desk, [NORTH, SOUTH]).form.branches).toEqual([]);
  });

  it('keeps what is typed when the address is taken, and goes once', async () => {
    const invitation = new Invitation(desk, [NORTH]);
    Object.assign(invitation.form, { display_name: 'Luis', email: 'luis@gym.co' });
    const first = invitation.send();
    expect(await invitation.send()).toBeNull();
    await hand.refuse('invite_user', 'USERNAME_TAKEN');
    expect(await first).toBeNull();
    expect([invitation.problem?.field, invitation.form.email]).toEqual(['email', 'luis@gym.co']);
    const second = invitation.send();
    await hand.answer('invite_user', LUIS);
    expect(await second).toEqual(LUIS);
    expect(hand.count('invite_user')).toBe(2);
  });
});

describe('managing somebody', () => {
  const changed = vi.fn();
  let managing: Managing;

  beforeEach(() => {
    changed.mockReset();
    managing = new Managing(desk, LUIS, changed);
  });

  it('keeps at least one role', async () => {
    managing.roles = [];
    await managing.save();
    expect([managing.problem?.field, hand.count('assign_user')]).toEqual(['roles', 0]);
    managing.roles = ['ENTITY_ADMIN'];
    void managing.save();
    await hand.answer('assign_user', { ...LUIS, roles: ['ENTITY_ADMIN'] });
    expect(hand.asked).toEqual([['assign_user', 'u', ['ENTITY_ADMIN'], ['n']]]);
    expect(managing.done).toBe('Cambios guardados.');
    expect(changed).toHaveBeenCalledWith({ ...LUIS, roles: ['ENTITY_ADMIN'] });
  });

  it('suspends nobody without being asked twice', async () => {
    await managing.confirm();
    expect(hand.asked).toEqual([]);
    managing.ask('suspend');
    void managing.confirm();
    await hand.answer('set_user_state', { ...LUIS, state: 'SUSPENDED' });
    expect(hand.asked).toEqual([['set_user_state', 'u', 'SUSPENDED']]);
    expect([managing.question, managing.user.state]).toEqual([null, 'SUSPENDED']);
  });

  it('says why somebody stays', async () => {
    managing.ask('suspend');
    void managing.confirm();
    await hand.refuse('set_user_state', 'LAST_ADMINISTRATOR');
    expect([managing.question, managing.problem?.field, managing.user.state]).toEqual([null, null, 'ACTIVE']);
    expect(managing.problem?.text).toContain('administrador');
  });

  it('resets a password and says to whom it was mailed', async () => {
    managing.ask('reset');
    void managing.confirm();
    await hand.answer('reset_user', undefined);
    expect(managing.done).toContain('luis@gym.co');
  });

  it('sends an invitation again, and says when that was too soon', async () => {
    void managing.invite_again();
    await hand.refuse('invite_again', 'SLOW_DOWN', { retry_after_s: 60 });
    expect(managing.problem?.text).toContain('60');
    void managing.invite_again();
    await hand.answer('invite_again', undefined);
    expect(managing.done).toContain('luis@gym.co');
  });

  it('of oneself changes this window too', async () => {
    desk.session = { operator: { id: 'u', username: '', display_name: '' } } as typeof desk.session;
    void managing.save();
    await hand.answer('assign_user', LUIS);
    expect(hand.count('refresh_session')).toBe(1);
  });
});
