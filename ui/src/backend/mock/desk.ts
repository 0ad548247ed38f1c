/** What the parts of the invented desk share. */
import type { ErrorCode } from '../../bindings/ErrorCode';
import type { Notice } from '../../bindings/Notice';
import type { PrintState } from '../../bindings/PrintState';
import type { Backend, CommandError, Stop } from '../backend';

/** What can be turned while it runs. */
export interface Controls {
  online: boolean;
  /** The server serves no desk before this version, and so not this one: it is as if there were none. */
  minimum_version: string | null;
  /** How long every command takes. */
  latency_ms: number;
  /** Answers of the server come after this; past {@link ANSWER_WAIT_MS} the copy answers first. */
  server_ms: number;
  /** The next calls of these commands are refused. */
  fail: Partial<Record<keyof Backend, ErrorCode>>;
  sign_in_needed: boolean;
  notices: Notice[];
  printers: string[];
  print_state: PrintState;
  /** How many uses there are in the history of before. */
  history: number;
  /** Nobody but the administrator works for the entity. */
  alone: boolean;
}

export type Command = Exclude<keyof Backend, `on_${string}`>;

export const refuse = (code: ErrorCode, params: CommandError['params'] = {}): never => {
  throw { code, params } satisfies CommandError;
};

export function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): Stop {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function wait(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms));
}
