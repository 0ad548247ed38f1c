/** Takes one use back: what was chosen, what the desk said. */
import type { Desk } from '../../app/desk.svelte';
import type { Voided } from '../../bindings/Voided';
import type { VoidReason } from '../../bindings/VoidReason';
import { missing, type Problem, refused, type Use } from './anular';

export class VoidUse {
  reason = $state<VoidReason | null>(null);
  text = $state('');
  saving = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** The desk said no for a reason that no field can put right: it knows something the screen does not. */
  refused = false;

  readonly #desk: Desk;
  readonly #use: Use;

  constructor(desk: Desk, use: Use) {
    this.#desk = desk;
    this.#use = use;
  }

  choose(reason: VoidReason | null): void {
    this.reason = reason;
    this.problem = null;
  }

  write(text: string): void {
    this.text = text;
    this.problem = null;
  }

  /** The void, once it is on the disk; `null` when it is not, and `problem` says why. */
  async confirm(): Promise<Voided | null> {
    if (this.saving) return null;
    const { reason, text } = this;
    this.problem = missing(reason, text);
    if (this.problem || reason === null) return null;
    this.saving = true;
    try {
      return await this.#desk.backend.void_use(this.#use.report_id, reason, text);
    } catch (thrown) {
      this.problem = refused(this.#desk.noted(thrown));
      this.refused = this.problem.field === null;
      return null;
    } finally {
      this.saving = false;
    }
  }
}
