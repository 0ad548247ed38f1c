/** A list that comes in pages: asked for by its filters, then as much more as somebody wants to see. */
import type { Filters, Paging } from '../api/api';
import { type ApiFailure, failureOf } from '../api/failure';
import { isGivenUp } from '../api/http';
import type { Page } from '../api/wire';

/** The most rows that one call gives. */
const PAGE_MAX = 500;

export class Listing<Row extends object> {
  rows = $state.raw<Row[]>([]);
  error = $state.raw<ApiFailure | null>(null);
  /** Something is on its way: the list, or the rest of it. */
  loading = $state<'all' | 'more' | null>(null);
  /** The rows are an answer to the filters, not the emptiness before the first one. */
  answered = $state(false);
  #next = $state.raw<string | null>(null);
  #filters: Filters = {};
  #asked: AbortController | null = null;

  constructor(private readonly fetch: (filters: Filters, paging: Paging) => Promise<Page<Row>>) {}

  /** Whether there are more than these. */
  get has_more(): boolean {
    return this.#next !== null;
  }

  /** Asks by these filters. What is shown stays until the answer; an answer to what is no longer asked is dropped. */
  async load(filters: Filters): Promise<void> {
    this.#filters = filters;
    await this.#ask('all', {}, ({ items, next }) => {
      this.rows = items;
      this.#next = next;
    });
  }

  /** Asks again for as many rows as are shown: something was done to one of them. */
  async again(): Promise<void> {
    const limit = Math.min(PAGE_MAX, Math.max(50, this.rows.length));
    await this.#ask('all', { limit }, ({ items, next }) => {
      this.rows = items;
      this.#next = next;
    });
  }

  async more(): Promise<void> {
    if (this.#next === null || this.loading) return;
    await this.#ask('more', { after: this.#next }, ({ items, next }) => {
      this.rows = [...this.rows, ...items];
      this.#next = next;
    });
  }

  /** Something else is asked about: what is shown is no answer to it. */
  forget(): void {
    this.#asked?.abort();
    this.rows = [];
    this.#next = null;
    this.answered = false;
    this.error = null;
  }

  async #ask(what: 'all' | 'more', paging: Paging, take: (page: Page<Row>) => void): Promise<void> {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.loading = what;
    this.error = null;
    try {
      const page = await this.fetch(this.#filters, { ...paging, signal: asked.signal });
      if (asked !== this.#asked) return;
      take(page);
      this.answered = true;
    } catch (thrown) {
      if (asked === this.#asked && !isGivenUp(thrown)) this.error = failureOf(thrown);
    } finally {
      if (asked === this.#asked) this.loading = null;
    }
  }
}
