/** The list of *Por enviar*, kept as fresh as the status bar: read again whenever the desk says something moved. */
import type { CommandError, Stop } from '../../backend/backend';
import type { OutboxItem } from '../../bindings/OutboxItem';
import type { Desk } from '../../app/desk.svelte';

export class Outbox {
  /** `null` until it was read. */
  items = $state.raw<OutboxItem[] | null>(null);
  error = $state.raw<CommandError | null>(null);
  sending = $state(false);
  /** The item being put back in the queue. */
  retrying = $state<string | null>(null);

  readonly #desk: Desk;
  #reads = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  start(): Stop {
    void this.read();
    return this.#desk.backend.on_status(() => void this.read());
  }

  async read(): Promise<void> {
    this.#reads += 1;
    const read = this.#reads;
    try {
      const { items } = await this.#desk.backend.outbox();
      // A slower, older answer must not take back a newer one.
      if (read !== this.#reads) return;
      this.items = items;
      this.error = null;
    } catch (thrown) {
      if (read === this.#reads) this.error = this.#desk.noted(thrown);
    }
  }

  async send_now(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    this.error = null;
    try {
      this.#desk.status = await this.#desk.backend.sync_now();
      await this.read();
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    } finally {
      this.sending = false;
    }
  }

  async retry(id: string): Promise<void> {
    if (this.retrying !== null) return;
    this.retrying = id;
    this.error = null;
    try {
      this.#reads += 1;
      this.items = (await this.#desk.backend.retry_item(id)).items;
      await this.#desk.refresh_status();
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    } finally {
      this.retrying = null;
    }
  }
}
