/** The people of the invented entity, as its administrator sees them. */
import type { EntityUser } from '../../bindings/EntityUser';
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { InvitationForm } from '../../bindings/InvitationForm';
import type { Account } from './people';

const DAY_MS = 24 * 3_600_000;
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

type Refuse = (code: ErrorCode) => never;

export class EntityPeople {
  readonly #refuse: Refuse;
  #people: EntityUser[] = [];

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  list(account: Account, alone: boolean, q: string): EntityUser[] {
    if (this.#people.length === 0) this.#people = this.#invented(account, alone);
    const wanted = plain(q);
    return this.#people.filter(({ display_name, username }) =>
      plain(`${display_name} ${username}`).includes(wanted),
    );
  }

  invite(id: string, { display_name, email, roles, branches }: InvitationForm): EntityUser {
    if (!/^\S+@\S+\.\S+$/.test(email.trim())) return this.#refuse('EMAIL_INVALID');
    if (this.#people.some(({ username }) => username === email.trim())) return this.#refuse('USERNAME_TAKEN');
    const user: EntityUser = {
      id,
      username: email.trim(),
      display_name: display_name.trim(),
      phone: null,
      state: 'INVITED',
      roles,
      branches,
      last_sign_in_at: null,
      invited_at: new Date().toISOString(),
    };
    this.#people = [...this.#people, user];
    return user;
  }

  /** Somebody has to administer the entity. */
  change(id: string, change: Partial<EntityUser>): EntityUser {
    const before = this.#people.find((user) => user.id === id) ?? this.#refuse('ITEM_NOT_FOUND');
    const after = { ...before, ...change };
    const people = this.#people.map((user) => (user.id === id ? after : user));
    const administers = ({ state, roles }: EntityUser) =>
      state === 'ACTIVE' && roles.includes('ENTITY_ADMIN');
    if (!people.some(administers)) this.#refuse('LAST_ADMINISTRATOR');
    this.#people = people;
    return after;
  }

  #invented({ operator, roles, branches }: Account, alone: boolean): EntityUser[] {
    const ids = branches.map(({ id }) => id);
    const person = (
      number: number,
      username: string,
      display_name: string,
      rest: Partial<EntityUser>,
    ): EntityUser => ({
      id: `01970000-0000-7000-8000-${String(number).padStart(12, '0')}`,
      username,
      display_name,
      phone: null,
      state: 'ACTIVE',
      roles: ['OPERATOR'],
      branches: ids.slice(0, 1),
      last_sign_in_at: ago(1),
      invited_at: ago(40),
      ...rest,
    });
    const own = person(0, operator.username, operator.display_name, {
      id: operator.id,
      roles: roles ?? ['OPERATOR'],
      branches: ids,
      phone: '3001234567',
      last_sign_in_at: ago(0),
      invited_at: null,
    });
    if (alone) return [own];
    return [
      person(801, 'alvaro.iguaran@gymcaribe.co', 'Álvaro Iguarán', { branches: ids }),
      own,
      person(802, 'jose.maria.de.la.hoz.santodomingo@gymcaribe.co', 'José María de la Hoz Santodomingo', {
        branches: ids.slice(1, 4),
        roles: ['OPERATOR', 'ENTITY_ADMIN'],
      }),
      person(803, 'keila@gymcaribe.co', 'Keila Barros', {
        state: 'INVITED',
        last_sign_in_at: null,
        invited_at: ago(2),
      }),
      person(804, 'rafael@gymcaribe.co', 'Rafael Daza', { state: 'SUSPENDED', last_sign_in_at: ago(90) }),
      person(806, 'wilmer@gymcaribe.co', 'Wilmer Cera', {
        state: 'SUSPENDED_BY_CAJA',
        last_sign_in_at: ago(40),
      }),
      person(805, 'yuranis@gymcaribe.co', 'Yuranis Pacheco', { branches: [], last_sign_in_at: null }),
    ];
  }
}
