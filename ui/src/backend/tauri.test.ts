import { beforeEach, expect, it, vi } from 'vitest';

const invoke = vi.hoisted(() => vi.fn());
const listen = vi.hoisted(() => vi.fn());
vi.mock('@tauri-apps/api/core', () => ({ invoke }));
vi.mock('@tauri-apps/api/event', () => ({ listen }));

const { backend } = await import('./tauri');

beforeEach(() => vi.resetAllMocks());

it('gives every command under its own name, with the arguments named as the desk names them', async () => {
  const query = { from: '2026-11-01', to: '2026-11-30', branch_id: null };
  await backend.sign_in('ana', 'secreta');
  await backend.judge_password('clave', ['Ana']);
  await backend.reset_password('ana@gym.co', '048213', 'clave nueva');
  await backend.sign_out(true);
  await backend.choose_branch('b');
  await backend.lookup('CC', '1.045');
  await backend.report_use('l', true);
  await backend.void_use('r', 'OTHER', 'fue un error');
  await backend.retry_item('i');
  await backend.withdraw_item('i', 'no se repite');
  await backend.history(query);
  await backend.save_report(query);
  await backend.save_report_as(query);
  await backend.open_report('/r.pdf');
  await backend.print_report(query, 'PDF');
  expect(invoke.mock.calls).toEqual([
    ['sign_in', { username: 'ana', password: 'secreta' }],
    ['judge_password', { password: 'clave', personal: ['Ana'] }],
    ['reset_password', { email: 'ana@gym.co', code: '048213', password: 'clave nueva' }],
    ['sign_out', { confirmed: true }],
    ['choose_branch', { branch_id: 'b' }],
    ['lookup', { kind: 'CC', number: '1.045' }],
    ['report_use', { lookup_id: 'l', again: true }],
    ['void_use', { report_id: 'r', reason: 'OTHER', text: 'fue un error' }],
    ['retry_item', { id: 'i' }],
    ['withdraw_item', { id: 'i', why: 'no se repite' }],
    ['history', { query }],
    ['save_report', { query }],
    ['save_report_as', { query }],
    ['open_report', { path: '/r.pdf' }],
    ['print_report', { query, printer: 'PDF' }],
  ]);
});

it('names the commands that take nothing as its methods are named', async () => {
  const plain = [
    'start',
    'refresh_session',
    'clear_card',
    'recent_lookups',
    'outbox',
    'retry_all',
    'export_outbox',
    'recover_set_aside',
    'sync_now',
    'status',
    'printers',
  ] as const;
  for (const command of plain) await backend[command]();
  expect(invoke.mock.calls).toEqual(plain.map((command) => [command]));
});

it('stops listening also when it is told before the subscription stands', async () => {
  const unlisten = vi.fn();
  listen.mockResolvedValue(unlisten);
  backend.on_status(() => undefined)();
  await vi.waitFor(() => expect(unlisten).toHaveBeenCalledOnce());
  expect(listen).toHaveBeenCalledWith('status', expect.any(Function));
});
