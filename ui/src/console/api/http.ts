/**
 * Calls of the server with the session's token. A token about to end is traded for the next one before it is used, and
 * one that ended meanwhile once more after; only when that is refused has the session ended.
 */
import { ApiFailure, failureIn, problemIn } from './failure';
import { thisBrowser, Tokens } from './tokens';
import type { Granted } from './wire';

const TIMEOUT_MS = 30_000;
/** A file is the larger part of what is awaited, on a slow line too. */
const FILE_TIMEOUT_MS = 600_000;
/** A token that ends sooner is not sent any more. */
const MARGIN_MS = 30_000;

export interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  /** Given up by whoever asked: rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  timeout_ms?: number;
}

export interface Sent {
  sent_bytes: number;
  total_bytes: number;
}

export class Http {
  readonly tokens = new Tokens();
  #refreshing: Promise<string> | null = null;
  /** How often somebody left: what was asked before that has no part in the session there is now. */
  #left = 0;

  /** `ended` is told when the server takes the session back. */
  constructor(private readonly ended: () => void) {}

  /** A call without a session. */
  async open<Answer>(path: string, ask: Ask): Promise<Answer> {
    return read<Answer>(await this.#send(path, ask, null));
  }

  async call<Answer>(path: string, ask: Ask = {}): Promise<Answer> {
    return read<Answer>(await this.#authorized(path, ask));
  }

  /** What a call answers with, as it is. */
  async file(path: string, ask: Ask = {}): Promise<Blob> {
    const response = await this.#authorized(path, { timeout_ms: FILE_TIMEOUT_MS, ...ask });
    return response.blob().catch((thrown: unknown) => {
      const late = thrown instanceof DOMException && thrown.name === 'TimeoutError';
      throw new ApiFailure(late ? 'TIMED_OUT' : 'UNREACHABLE');
    });
  }

  /**
   * Sends a file, telling how far it is. Aborted by `signal`: rejects with an `AbortError`. A dropped line is an error at
   * once; there is no time limit, because a large file on a slow line takes long.
   */
  async upload<Answer>(
    path: string,
    {
      query,
      file,
      headers = {},
      signal,
      onprogress,
    }: {
      query?: Ask['query'];
      file: Blob;
      headers?: Record<string, string>;
      signal?: AbortSignal;
      onprogress?: (sent: Sent) => void;
    },
  ): Promise<Answer> {
    const token = await this.#token();
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', address(path, query));
      request.setRequestHeader('authorization', `Bearer ${token}`);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total }) =>
        onprogress?.({ sent_bytes: loaded, total_bytes: total });
      request.onerror = () => reject(new ApiFailure('UNREACHABLE'));
      request.onabort = () => reject(new DOMException('given up', 'AbortError'));
      request.onload = () => {
        const text = request.responseText;
        if (request.status < 200 || request.status > 299) {
          return reject(
            problemIn(request.status, text, Number(request.getResponseHeader('retry-after')) || undefined),
          );
        }
        try {
          resolve(JSON.parse(text) as Answer);
        } catch {
          reject(new ApiFailure('ANSWER_UNREADABLE'));
        }
      };
      signal?.addEventListener('abort', () => request.abort(), { once: true });
      request.send(file);
    });
  }

  /** Forgets the tokens, and gives them back to the server if it can be reached; otherwise they end by themselves. */
  leave(path: string): void {
    this.#left += 1;
    const { kept } = this.tokens;
    if (!kept) return;
    this.tokens.forget();
    this.#send(path, { method: 'DELETE' }, kept.access_token).catch(() => undefined);
  }

  async #authorized(path: string, ask: Ask): Promise<Response> {
    const left = this.#left;
    const token = await this.#token();
    try {
      return await this.#send(path, ask, token);
    } catch (thrown) {
      if (!(thrown instanceof ApiFailure) || thrown.code !== 'SESSION_EXPIRED') throw thrown;
      if (left !== this.#left) throw new ApiFailure('NOT_SIGNED_IN');
      return this.#send(path, ask, await this.#next(token));
    }
  }

  async #token(): Promise<string> {
    const { kept } = this.tokens;
    if (!kept) throw new ApiFailure('NOT_SIGNED_IN');
    const ends_ms = Date.parse(kept.access_expires_at);
    return ends_ms - MARGIN_MS > Date.now() ? kept.access_token : this.#next(kept.access_token);
  }

  /** The token after `before`. Asked for once, however many calls wait for it. */
  async #next(before: string): Promise<string> {
    const { kept } = this.tokens;
    if (!kept) throw new ApiFailure('NOT_SIGNED_IN');
    if (kept.access_token !== before) return kept.access_token;
    this.#refreshing ??= this.#refresh(kept.refresh_token, kept.username).finally(
      () => (this.#refreshing = null),
    );
    return this.#refreshing;
  }

  async #refresh(refresh_token: string, username: string): Promise<string> {
    const left = this.#left;
    try {
      const body = { refresh_token, device_id: thisBrowser().id };
      const granted = await this.open<Granted>('/v1/sessions/refresh', { method: 'POST', body });
      if (left !== this.#left) throw new ApiFailure('NOT_SIGNED_IN');
      this.tokens.keep({ ...granted, username });
      return granted.access_token;
    } catch (thrown) {
      // The line or the server failing is no end of the session.
      if (left === this.#left && thrown instanceof ApiFailure && ENDS.includes(thrown.code)) {
        this.tokens.forget();
        this.ended();
        throw new ApiFailure('NOT_SIGNED_IN');
      }
      throw thrown;
    }
  }

  async #send(
    path: string,
    { method = 'GET', query, body, signal, timeout_ms = TIMEOUT_MS }: Ask,
    token: string | null,
  ) {
    const timeout = AbortSignal.timeout(timeout_ms);
    let response: Response;
    try {
      response = await fetch(address(path, query), {
        method,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        cache: 'no-store',
        credentials: 'omit',
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (thrown) {
      if (signal?.aborted) throw new DOMException('given up', 'AbortError');
      if (timeout.aborted) throw new ApiFailure('TIMED_OUT');
      throw thrown instanceof TypeError ? new ApiFailure('UNREACHABLE') : thrown;
    }
    if (!response.ok) throw await failureIn(response);
    return response;
  }
}

/** What ends the session when its tokens are traded: it is not good any more, or nobody may use it. */
const ENDS = ['SESSION_EXPIRED', 'WRONG_CREDENTIALS', 'ACCOUNT_NOT_ACTIVE', 'DEVICE_REVOKED', 'INVALID'];

/** Whether somebody gave the call up. */
export function isGivenUp(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}

function address(path: string, query: Ask['query'] = {}): string {
  const filled = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return filled.length > 0 ? `${path}?${new URLSearchParams(filled)}` : path;
}

async function read<Answer>(response: Response): Promise<Answer> {
  const text = await response.text().catch(() => {
    throw new ApiFailure('UNREACHABLE');
  });
  if (text === '') return undefined as Answer;
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new ApiFailure('ANSWER_UNREADABLE');
  }
}
