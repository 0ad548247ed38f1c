/** The list of *Por enviar*, kept as fresh as the status bar: read again whenever the desk says something moved. */
import type { CommandError, Stop } from '../../backend/backend';
import type { LastSync } from '../../bindings/LastSync';
import type { OutboxItem } from '../../bindings/OutboxItem';
import type { OutboxView } from '../../bindings/OutboxView';
import type { Desk } from '../../app/desk.svelte';

export class Outbox {
  /** `null` until it was read. */
  items = $state.raw<OutboxItem[] | null>(null);
  /** Offline lookups that wait; they need nobody. */
  lookups = $state(0);
  /** How the last delivery of what had waited went. */
  last_sync = $state.raw<LastSync | null>(null);
  error = $state.raw<CommandError | null>(null);
  sending = $state(false);
  /** The item being put back in the queue, or all of them. */
  retrying = $state<string | 'all' | null>(null);
  /** An item is being given up. */
  withdrawing = $state(false);

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
      const view = await this.#desk.backend.outbox();
      // A slower, older answer must not take back a newer one.
      if (read !== this.#reads) return;
      this.#show(view);
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
      await this.#desk.backend.sync_now();
      await this.#desk.refresh_status();
      await this.read();
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    } finally {
      this.sending = false;
    }
  }

  retry(id: string): Promise<void> {
    return this.#retry(id, () => this.#desk.backend.retry_item(id));
  }

  retry_all(): Promise<void> {
    return this.#retry('all', () => this.#desk.backend.retry_all());
  }

  /** Gives an item up. The error belongs to the dialog that asked: `null` when it is done. */
  async withdraw(id: string, why: string): Promise<CommandError | null> {
    this.withdrawing = true;
    try {
      this.#reads += 1;
      this.#show(await this.#desk.backend.withdraw_item(id, why));
      await this.#desk.refresh_status();
      return null;
    } catch (thrown) {
      return this.#desk.noted(thrown);
    } finally {
      this.withdrawing = false;
    }
  }

  async #retry(which: string, command: () => Promise<OutboxView>): Promise<void> {
    if (this.retrying !== null) return;
    this.retrying = which;
    this.error = null;
    try {
      this.#reads += 1;
      this.#show(await command());
      await this.#desk.refresh_status();
    } catch (thrown) {
      this.error = this.#desk.noted(thrown);
    } finally {
      this.retrying = null;
    }
  }

  #show({ items, lookups, last_sync }: OutboxView): void {
    this.items = items;
    this.lookups = lookups;
    this.last_sync = last_sync;
  }
}
