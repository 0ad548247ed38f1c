/**
 * A backend answered by hand: every command waits until the test answers it, in the order the test wants. For the
 * stories in which answers overtake each other.
 */
import type { Backend, CommandError } from '../backend/backend';
import type { Card } from '../bindings/Card';
import type { ErrorCode } from '../bindings/ErrorCode';
import type { HistoryRow } from '../bindings/HistoryRow';
import type { Status } from '../bindings/Status';
import type { Voided } from '../bindings/Voided';

type Command = Exclude<keyof Backend, `on_${string}`>;
type Answer<C extends Command> = Awaited<ReturnType<Backend[C]>>;

interface Call {
  command: Command;
  args: unknown[];
  resolve: (answer: unknown) => void;
  reject: (error: CommandError) => void;
}

export class Hand {
  readonly backend: Backend;
  /** Commands that wait for an answer, oldest first. */
  #waiting: Call[] = [];
  /** Every command there was, with its arguments. */
  readonly asked: [Command, ...unknown[]][] = [];
  #status_listeners = new Set<(status: Status) => void>();
  #card_listeners = new Set<(card: Card) => void>();

  constructor() {
    this.backend = new Proxy({} as Backend, {
      get: (_, name) => this.#listening(name) ?? ((...args: unknown[]) => this.#ask(name as Command, args)),
    });
  }

  /** How often a command was given. */
  count(command: Command): number {
    return this.asked.filter(([name]) => name === command).length;
  }

  /** Answers the oldest waiting call of a command (or the one at `index`), and lets the answer be taken in. */
  async answer<C extends Command>(command: C, answer: Answer<C>, index = 0): Promise<void> {
    this.#take(command, index).resolve(answer);
    await settle();
  }

  async refuse(
    command: Command,
    code: ErrorCode,
    params: CommandError['params'] = {},
    index = 0,
  ): Promise<void> {
    this.#take(command, index).reject({ code, params });
    await settle();
  }

  async tell_card(card: Card): Promise<void> {
    for (const listener of this.#card_listeners) listener(card);
    await settle();
  }

  async tell_status(change: Partial<Status> = {}): Promise<void> {
    for (const listener of this.#status_listeners) listener({ ...STATUS, ...change });
    await settle();
  }

  #listening(name: string | symbol) {
    if (name === 'on_status')
      return (listener: (status: Status) => void) => subscribe(this.#status_listeners, listener);
    if (name === 'on_card')
      return (listener: (card: Card) => void) => subscribe(this.#card_listeners, listener);
    // What no story here is about is never told.
    if (typeof name === 'string' && name.startsWith('on_')) return () => () => undefined;
    return undefined;
  }

  #ask(command: Command, args: unknown[]): Promise<unknown> {
    this.asked.push([command, ...args]);
    return new Promise((resolve, reject) => this.#waiting.push({ command, args, resolve, reject }));
  }

  #take(command: Command, index: number): Call {
    const call = this.#waiting.filter((waiting) => waiting.command === command)[index];
    if (!call) throw new Error(`${command} was not asked`);
    this.#waiting = this.#waiting.filter((waiting) => waiting !== call);
    return call;
  }
}

export const STATUS: Status = {
  online: true,
  cause: null,
  minimum_version: null,
  copies_until: null,
  pending: 0,
  lookups: 0,
  needs_attention: 0,
  last_sync_at: '2026-11-22T15:32:00Z',
  sign_in_needed: false,
  sending: false,
};

export const CARD: Card = {
  lookup_id: 'lookup-1',
  document: { kind: 'CC', number: '1045678901' },
  verdict: 'ACTIVE',
  source: 'online',
  statement_id: 'statement-1',
  affiliate: {
    role: 'TRABAJADOR',
    first_surname: 'PÉREZ',
    second_surname: 'GÓMEZ',
    first_name: 'JUAN',
    second_name: null,
    status: 'ACTIVO',
    tariff: 'B',
    company: { name: 'TRANSPORTES DEL NORTE S.A.S.', status: 'ACTIVA' },
  },
  tariff: 'B',
  reasons: [],
  cause: null,
  age_s: 0,
  valid_until: '2026-11-23T15:32:00Z',
  may_report: true,
  used_today: [],
  reported: null,
  may_void: false,
  voided: null,
  replaces: null,
};

export const REPORTED: NonNullable<Card['reported']> = {
  id: 'report-1',
  state: 'queued',
  occurred_at: '2026-11-22T15:33:00Z',
};

export const ROW: HistoryRow = {
  id: 'report-1',
  occurred_at: '2026-11-22T15:33:00Z',
  document: CARD.document,
  affiliate_name: 'PÉREZ GÓMEZ, JUAN',
  tariff: 'B',
  company_name: 'TRANSPORTES DEL NORTE S.A.S.',
  branch_name: 'Sede Norte',
  operator_name: 'Ana Rodríguez',
  state: 'accepted',
  code: null,
  voided: null,
  may_void: true,
};

export const VOIDED: Voided = {
  occurred_at: '2026-11-22T15:40:00Z',
  operator_name: 'Ana Rodríguez',
  reason: 'REPORTED_TWICE',
  text: null,
  state: 'queued',
};

/** Lets everything that is resolved run, also under fake timers. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
