// The session under the calls: what the server answers, and what becomes of the tokens.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from './client';
import { ApiFailure } from './failure';
import { newId } from './tokens';

const NOW = new Date('2026-11-22T15:32:00Z');
const STORED = 'hanna.console.session';

interface Asked {
  method: string;
  path: string;
  token: string | null;
  body: unknown;
}

let asked: Asked[];
/** What the server answers, by its path; called each time. */
let answers: Record<string, (asked: Asked) => Response | Promise<Response>>;

const json = (body: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
const problem = (status: number, code: string, headers = {}) =>
  json(
    { type: `urn:hanna:problem:${code}`, title: code, status, code, detail: null, trace_id: 'trace-1' },
    status,
    headers,
  );

let pairs = 0;
function granted(access_min = 15) {
  pairs += 1;
  return {
    access_token: `access-${pairs}`,
    access_expires_at: new Date(Date.now() + access_min * 60_000).toISOString(),
    refresh_token: `refresh-${pairs}`,
    refresh_expires_at: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  sessionStorage.clear();
  pairs = 0;
  asked = [];
  answers = {
    '/v1/sessions': () => json(granted(), 201),
    '/v1/sessions/refresh': () => json(granted()),
    '/v1/me': () => json({ operator: { id: '1' } }),
  };
  vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const call = {
      method: init.method ?? 'GET',
      path: address,
      token: headers.get('authorization')?.replace('Bearer ', '') ?? null,
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined,
    };
    asked.push(call);
    const answer = answers[address.split('?')[0] ?? ''];
    if (!answer) throw new TypeError('no connection');
    return answer(call);
  });
});

afterEach(() => vi.unstubAllGlobals());

async function signed_in(): Promise<Client> {
  const client = new Client();
  await client.sign_in('clara@caja.example', 'consola segura', '123456');
  return client;
}

const code = async (work: Promise<unknown>) => {
  const thrown = await work.catch((error: unknown) => error);
  if (!(thrown instanceof ApiFailure)) throw new Error(`it was not refused: ${String(thrown)}`);
  return thrown.code;
};

describe('signing in', () => {
  it('sends the code only when there is one, and keeps the pair in this tab alone', async () => {
    const client = new Client();
    await client.sign_in('clara@caja.example', 'consola segura');
    expect(asked[0]?.body).not.toHaveProperty('otp');
    expect(asked[0]?.body).toMatchObject({ username: 'clara@caja.example', device: { name: 'Consola web' } });
    expect(client.username).toBe('clara@caja.example');
    expect(sessionStorage.getItem(STORED)).toContain('access-1');
    expect(JSON.stringify(localStorage)).not.toContain('access-1');
    expect(document.cookie).toBe('');
  });

  it('is the same browser the next time', async () => {
    await signed_in();
    await signed_in();
    const device = (call: Asked | undefined) => (call?.body as { device: { id: string } }).device.id;
    expect(device(asked[0])).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(device(asked[0])).toBe(device(asked[1]));
  });

  it('goes on after the page was loaded again', async () => {
    await signed_in();
    const again = new Client();
    await again.me();
    expect(asked.at(-1)).toMatchObject({ path: '/v1/me', token: 'access-1' });
  });

  it('asks nothing without a session', async () => {
    expect(await code(new Client().me())).toBe('NOT_SIGNED_IN');
    expect(asked).toEqual([]);
  });

  it('is not needed to verify a code, which is sent as it is', async () => {
    answers['/v1/verify/C01J%2F..'] = () => problem(422, 'INVALID');
    const client = await signed_in();
    expect(await code(client.verify('C01J/..'))).toBe('INVALID');
    expect(asked.at(-1)).toMatchObject({ method: 'GET', path: '/v1/verify/C01J%2F..', token: null });
  });
});

describe('a token', () => {
  it('that is about to end is traded before it is used, once for all calls that wait', async () => {
    const client = await signed_in();
    vi.setSystemTime(NOW.getTime() + 14.8 * 60_000);
    await Promise.all([client.me(), client.me(), client.me()]);
    expect(asked.filter(({ path }) => path === '/v1/sessions/refresh')).toHaveLength(1);
    expect(asked.filter(({ path }) => path === '/v1/me').map(({ token }) => token)).toEqual([
      'access-2',
      'access-2',
      'access-2',
    ]);
  });

  it('that the server does not take any more is traded, and the call made again', async () => {
    const client = await signed_in();
    answers['/v1/me'] = ({ token }) =>
      token === 'access-1' ? problem(401, 'SESSION_EXPIRED') : json({ operator: { id: '1' } });
    await expect(client.me()).resolves.toMatchObject({ operator: { id: '1' } });
    expect(client.username).toBe('clara@caja.example');
  });

  it('that cannot be traded ends the session, and says so once', async () => {
    const client = await signed_in();
    const ended = vi.fn();
    client.on_ended = ended;
    answers['/v1/me'] = () => problem(401, 'SESSION_EXPIRED');
    answers['/v1/sessions/refresh'] = () => problem(401, 'SESSION_EXPIRED');
    const codes = await Promise.all([code(client.me()), code(client.me())]);
    expect(codes).toEqual(['NOT_SIGNED_IN', 'NOT_SIGNED_IN']);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(sessionStorage.getItem(STORED)).toBeNull();
  });

  it('is kept when the line or the server fails: that is no end of the session', async () => {
    const client = await signed_in();
    vi.setSystemTime(NOW.getTime() + 15 * 60_000);
    answers['/v1/sessions/refresh'] = () => problem(503, 'UNAVAILABLE', { 'retry-after': '5' });
    expect(await code(client.me())).toBe('UNAVAILABLE');
    delete answers['/v1/sessions/refresh'];
    expect(await code(client.me())).toBe('UNREACHABLE');
    expect(client.username).toBe('clara@caja.example');
  });
});

describe('signing out', () => {
  it('forgets the session at once and gives the token back, without ending the session that follows', async () => {
    const client = await signed_in();
    let answer: (response: Response) => void = () => undefined;
    answers['/v1/sessions/current'] = () => new Promise((resolve) => (answer = resolve));
    client.leave();
    expect(client.username).toBeNull();
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', token: 'access-1' });
    await client.sign_in('clara@caja.example', 'consola segura');
    answer(new Response(null, { status: 204 }));
    await client.me();
    expect(asked.at(-1)).toMatchObject({ path: '/v1/me', token: 'access-2' });
  });

  it('is not undone by a token that is traded meanwhile, nor is the next session ended by it', async () => {
    const client = await signed_in();
    const ended = vi.fn();
    client.on_ended = ended;
    let answer: (response: Response) => void = () => undefined;
    answers['/v1/sessions/refresh'] = () => new Promise((resolve) => (answer = resolve));
    vi.setSystemTime(NOW.getTime() + 15 * 60_000);
    let asking = code(client.me());
    client.leave();
    answer(json(granted()));
    expect(await asking).toBe('NOT_SIGNED_IN');
    expect(sessionStorage.getItem(STORED)).toBeNull();

    await client.sign_in('clara@caja.example', 'consola segura');
    vi.setSystemTime(NOW.getTime() + 30 * 60_000);
    asking = code(client.me());
    client.leave();
    await client.sign_in('ivan@caja.example', 'consola segura');
    answer(problem(401, 'SESSION_EXPIRED'));
    expect(await asking).toBe('SESSION_EXPIRED');
    expect(client.username).toBe('ivan@caja.example');
    expect(ended).not.toHaveBeenCalled();
  });

  it('leaves no call to be made again with the token of who comes next', async () => {
    const client = await signed_in();
    let answer: (response: Response) => void = () => undefined;
    answers['/v1/admin/devices/1/revoke'] = () => new Promise((resolve) => (answer = resolve));
    const asking = code(client.revoke_device('1'));
    await vi.advanceTimersByTimeAsync(0);
    client.leave();
    await client.sign_in('ivan@caja.example', 'consola segura');
    answer(problem(401, 'SESSION_EXPIRED'));
    expect(await asking).toBe('NOT_SIGNED_IN');
    expect(asked.filter(({ path }) => path.endsWith('/revoke'))).toHaveLength(1);
  });
});

it('a file given up while a token is traded for it is not sent', async () => {
  const send = vi.fn();
  vi.stubGlobal('XMLHttpRequest', send);
  const client = await signed_in();
  vi.setSystemTime(NOW.getTime() + 15 * 60_000);
  const giving_up = new AbortController();
  const file = new File(['documento;tarifa'], 'afiliados.csv');
  const what = { id: newId(), mode: 'upsert' as const, dry_run: true, file };
  const sending = client.begin_import(what, giving_up.signal, () => undefined);
  giving_up.abort();
  await expect(sending).rejects.toThrow(DOMException);
  expect(send).not.toHaveBeenCalled();
});

describe('an answer', () => {
  it('that is a problem keeps its code, its number and how long to wait', async () => {
    const client = await signed_in();
    answers['/v1/me'] = () => problem(429, 'SLOW_DOWN', { 'retry-after': '30' });
    const failure = await client.me().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'SLOW_DOWN', params: { retry_after_s: 30, trace_id: 'trace-1' } });
  });

  it('of something that is not Hanna is said to be that', async () => {
    const client = await signed_in();
    answers['/v1/me'] = () => new Response('<html>wifi</html>', { status: 200 });
    expect(await code(client.me())).toBe('ANSWER_UNREADABLE');
    answers['/v1/me'] = () => new Response('<html>wifi</html>', { status: 404 });
    expect(await code(client.me())).toBe('ANSWER_UNREADABLE');
    answers['/v1/me'] = () => new Response('bad gateway', { status: 502 });
    expect(await code(client.me())).toBe('UNAVAILABLE');
  });

  it('without a body is an answer', async () => {
    const client = await signed_in();
    answers['/v1/admin/devices/1/revoke'] = () => new Response(null, { status: 204 });
    await expect(client.revoke_device('1')).resolves.toBeUndefined();
  });
});

describe('a question', () => {
  it('has the document in its body, never in its address', async () => {
    const client = await signed_in();
    answers['/v1/admin/audit/search'] = () => json({ items: [], next: null, accesses: [] });
    await client.audit_search({ kind: 'CC', number: '1045678901' }, 'responder');
    expect(asked.at(-1)?.path).toBe('/v1/admin/audit/search');
    expect(asked.at(-1)?.body).toMatchObject({
      document: { kind: 'CC', number: '1045678901' },
      purpose: 'responder',
    });
  });

  it('leaves out the filters that are not set', async () => {
    const client = await signed_in();
    answers['/v1/admin/users'] = () => json({ items: [], next: null });
    await client.users({ q: 'ana díaz', role: '', state: undefined }, { after: 'x' });
    expect(asked.at(-1)?.path).toBe('/v1/admin/users?q=ana+d%C3%ADaz&after=x&limit=50');
  });

  it('for one request goes through the list until it is found', async () => {
    const client = await signed_in();
    answers['/v1/admin/application-requests'] = ({ path }) =>
      path.includes('after=2')
        ? json({ items: [{ id: 'b' }], next: null })
        : json({ items: [{ id: 'a' }], next: '2' });
    await expect(client.request('b')).resolves.toEqual({ id: 'b' });
    expect(await code(client.request('c'))).toBe('NOT_FOUND');
  });
});

it('ids are made in the order of time', () => {
  const ids = [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000].map((now_ms) => newId(now_ms));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(3);
});
