/** *Exportar pendientes*: asks for the file, and keeps what came of it. */
import type { Desk } from '../../app/desk.svelte';
import type { CommandError } from '../../backend/backend';
import type { ExportedOutbox } from '../../bindings/ExportedOutbox';

export class Export {
  working = $state(false);
  done = $state.raw<ExportedOutbox | null>(null);
  error = $state.raw<CommandError | null>(null);

  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async begin(): Promise<void> {
    if (this.working) return;
    this.working = true;
    this.error = null;
    try {
      // Cancelled: what was written before still stands there.
      this.done = (await this.#desk.backend.export_outbox()) ?? this.done;
    } catch (thrown) {
      this.done = null;
      this.error = this.#desk.noted(thrown);
    } finally {
      this.working = false;
    }
  }
}
