/** What is done with one person of the entity: roles and sedes, and what is asked twice before it happens. */
import type { Desk } from '../../app/desk.svelte';
import type { EntityUser } from '../../bindings/EntityUser';
import type { Role } from '../../bindings/Role';
import { t } from '../../i18n/i18n';
import { type Problem, refused, roleProblem } from './entidad';

/** What is asked twice. */
export type Question = 'suspend' | 'reactivate' | 'reset';

export class Managing {
  readonly #desk: Desk;
  readonly #onchanged: (user: EntityUser) => void;
  user = $state.raw<EntityUser>() as EntityUser;
  roles = $state<Role[]>([]);
  branches = $state<string[]>([]);
  question = $state<Question | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** What was just done. */
  done = $state<string | null>(null);
  working = $state(false);

  constructor(desk: Desk, user: EntityUser, onchanged: (user: EntityUser) => void) {
    this.#desk = desk;
    this.#onchanged = onchanged;
    this.#show(user);
  }

  async save(): Promise<void> {
    this.done = null;
    this.problem = roleProblem(this.roles);
    if (this.problem) return;
    await this.#attempt(async () => {
      const roles = $state.snapshot(this.roles);
      const branches = $state.snapshot(this.branches);
      this.#changed(await this.#desk.backend.assign_user(this.user.id, roles, branches));
      // One's own: the tiles and the sedes of this window follow.
      if (this.user.id === this.#desk.session?.operator.id) {
        await this.#desk.refresh_session().catch(() => undefined);
      }
      return t('entidad_saved');
    });
  }

  ask(question: Question | null): void {
    if (this.working) return;
    this.done = null;
    this.problem = null;
    this.question = question;
  }

  /** What was asked twice happens. */
  async confirm(): Promise<void> {
    const { question, user } = this;
    if (question === null) return;
    const name = user.display_name;
    await this.#attempt(async () => {
      if (question === 'reset') {
        await this.#desk.backend.reset_user(user.id);
        return t('entidad_reset_done', { email: user.username });
      }
      const state = question === 'suspend' ? 'SUSPENDED' : 'ACTIVE';
      this.#changed(await this.#desk.backend.set_user_state(user.id, state));
      return t(question === 'suspend' ? 'entidad_suspended' : 'entidad_reactivated', { name });
    });
    this.question = null;
  }

  async invite_again(): Promise<void> {
    await this.#attempt(async () => {
      await this.#desk.backend.invite_again(this.user.id);
      return t('entidad_again_done', { email: this.user.username });
    });
  }

  #changed(user: EntityUser): void {
    this.#show(user);
    this.#onchanged(user);
  }

  #show(user: EntityUser): void {
    this.user = user;
    this.roles = [...user.roles];
    this.branches = [...user.branches];
  }

  async #attempt(work: () => Promise<string>): Promise<void> {
    if (this.working) return;
    this.working = true;
    this.problem = null;
    this.done = null;
    try {
      this.done = await work();
    } catch (thrown) {
      this.problem = refused(this.#desk.noted(thrown));
    } finally {
      this.working = false;
    }
  }
}
