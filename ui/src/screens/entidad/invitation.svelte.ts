/** Invites one person: what is typed, what the server said. */
import type { Desk } from '../../app/desk.svelte';
import type { Branch } from '../../bindings/Branch';
import type { EntityUser } from '../../bindings/EntityUser';
import type { InvitationForm } from '../../bindings/InvitationForm';
import { missing, type Problem, refused } from './entidad';

export class Invitation {
  readonly #desk: Desk;
  form = $state<InvitationForm>({ display_name: '', email: '', roles: ['OPERATOR'], branches: [] });
  problem = $state.raw<Problem | null>(null);
  sending = $state(false);

  constructor(desk: Desk, branches: Branch[]) {
    this.#desk = desk;
    // With one sede there is nothing to choose.
    if (branches.length === 1) this.form.branches = branches.map(({ id }) => id);
  }

  /** Who was invited; `null` when nobody was, and `problem` says why. What is typed stays. */
  async send(): Promise<EntityUser | null> {
    if (this.sending) return null;
    this.problem = missing(this.form);
    if (this.problem) return null;
    this.sending = true;
    try {
      return await this.#desk.backend.invite_user($state.snapshot(this.form));
    } catch (thrown) {
      this.problem = refused(this.#desk.noted(thrown));
      return null;
    } finally {
      this.sending = false;
    }
  }
}
