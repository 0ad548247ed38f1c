/** The list of the people of the entity, as it was asked for. */
import type { Desk } from '../../app/desk.svelte';
import type { CommandError, Stop } from '../../backend/backend';
import type { Branch } from '../../bindings/Branch';
import type { EntityUser } from '../../bindings/EntityUser';

/** How long typing rests before the list is asked for. */
export const REST_MS = 300;

export class Users {
  readonly #desk: Desk;
  /** What is looked for. */
  q = $state('');
  /** What the list shown was asked with. */
  shown_q = $state('');
  /** `null` until they were read. */
  users = $state.raw<EntityUser[] | null>(null);
  branches = $state.raw<Branch[]>([]);
  next = $state<string | null>(null);
  loading = $state(false);
  error = $state.raw<CommandError | null>(null);
  #reads = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  start(): Stop {
    void this.read();
    return () => clearTimeout(this.#rest);
  }

  /** Something was typed: the list follows once typing rests. */
  typed(q: string): void {
    this.q = q;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => void this.read(), REST_MS);
  }

  /** Reads the first page. */
  async read(): Promise<void> {
    clearTimeout(this.#rest);
    const q = this.q.trim();
    await this.#ask(async () => {
      const [branches, page] = await Promise.all([
        this.#desk.backend.entity_branches(),
        this.#desk.backend.entity_users(q, null),
      ]);
      return () => {
        this.branches = branches;
        this.users = page.items;
        this.next = page.next;
        this.shown_q = q;
      };
    });
  }

  /** The page after those that are shown. */
  async more(): Promise<void> {
    const { next, shown_q, users } = this;
    if (next === null || this.loading) return;
    await this.#ask(async () => {
      const page = await this.#desk.backend.entity_users(shown_q, next);
      return () => {
        this.users = [...(users ?? []), ...page.items];
        this.next = page.next;
      };
    });
  }

  /** Somebody was changed: their row says so. */
  changed(user: EntityUser): void {
    this.users = this.users?.map((before) => (before.id === user.id ? user : before)) ?? null;
  }

  /** A slower, older answer must not take back a newer one. */
  async #ask(read: () => Promise<() => void>): Promise<void> {
    this.#reads += 1;
    const asked = this.#reads;
    this.loading = true;
    try {
      const show = await read();
      if (asked !== this.#reads) return;
      show();
      this.error = null;
    } catch (thrown) {
      if (asked === this.#reads) this.error = this.#desk.noted(thrown);
    } finally {
      if (asked === this.#reads) this.loading = false;
    }
  }
}
