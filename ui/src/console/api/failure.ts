/** Why a call did not do what it was asked. Screens switch on the code; the sentence is the catalogue's. */
import { isKey, t } from '../i18n';

/** What the server never says, because it was not reached or did not answer as Hanna does. */
export type Unanswered =
  'UNREACHABLE' | 'TIMED_OUT' | 'ANSWER_UNREADABLE' | 'NOT_SIGNED_IN' | 'FILE_UNREADABLE';

export class ApiFailure extends Error {
  constructor(
    /** A code of the server's closed set, or one of {@link Unanswered}. */
    readonly code: string,
    readonly params: { retry_after_s?: number; trace_id?: string } = {},
  ) {
    super(code);
    this.name = 'ApiFailure';
  }
}

/** Whatever was thrown, as a failure. Anything that is not one is a fault of the page. */
export function failureOf(thrown: unknown): ApiFailure {
  return thrown instanceof ApiFailure ? thrown : new ApiFailure('INTERNAL');
}

/** What happened, what it means and what to do. A code this page does not know yet is told by its number. */
export function sentence(failure: ApiFailure): string {
  const key = `fail_${failure.code}`;
  const params = { retry_after_s: 'unos', trace_id: '—', ...failure.params };
  return isKey(key) ? t(key, params) : t('fail_unknown', { ...params, code: failure.code });
}

/** The failure an answer that is no success speaks of. */
export async function failureIn(response: Response): Promise<ApiFailure> {
  const retry_after_s = Number(response.headers.get('retry-after')) || undefined;
  return problemIn(response.status, await response.text().catch(() => ''), retry_after_s);
}

/** The same from the text of the answer. */
export function problemIn(status: number, text: string, retry_after_s?: number): ApiFailure {
  try {
    const problem: unknown = JSON.parse(text);
    if (
      typeof problem === 'object' &&
      problem !== null &&
      'code' in problem &&
      typeof problem.code === 'string'
    ) {
      const trace_id = 'trace_id' in problem ? String(problem.trace_id) : undefined;
      return new ApiFailure(problem.code, {
        ...(retry_after_s === undefined ? {} : { retry_after_s }),
        ...(trace_id === undefined ? {} : { trace_id }),
      });
    }
  } catch {
    // Not JSON: told below.
  }
  return new ApiFailure(status >= 500 ? 'UNAVAILABLE' : 'ANSWER_UNREADABLE');
}
