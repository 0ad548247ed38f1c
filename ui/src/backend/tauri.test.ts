import { beforeEach, expect, it, vi } from 'vitest';
import type { ApplicationForm } from '../bindings/ApplicationForm';
import type { InvitationForm } from '../bindings/InvitationForm';

const invoke = vi.hoisted(() => vi.fn());
const listen = vi.hoisted(() => vi.fn());
vi.mock('@tauri-apps/api/core', () => ({ invoke }));
vi.mock('@tauri-apps/api/event', () => ({ listen }));

const { backend } = await import('./tauri');

const FORM: ApplicationForm = {
  contact_name: 'Ana',
  contact_email: 'ana@gym.co',
  contact_phone: '3001234567',
  benefit: '20 %',
  branches: [],
};
const INVITATION: InvitationForm = {
  display_name: 'Luis',
  email: 'luis@gym.co',
  roles: ['OPERATOR'],
  branches: ['b'],
};

beforeEach(() => vi.resetAllMocks());

it('gives every command under its own name, with the arguments named as the desk names them', async () => {
  const query = { from: '2026-11-01', to: '2026-11-30', branch_id: null };
  await backend.sign_in('ana', 'secreta');
  await backend.judge_password('clave', ['Ana']);
  await backend.reset_password('ana@gym.co', '048213', 'clave nueva');
  await backend.sign_out(true);
  await backend.keep_application(FORM);
  await backend.attach_file(new File(['%PDF-'], 'cámara.pdf'));
  await backend.entity_users('ana', null);
  await backend.invite_user(INVITATION);
  await backend.assign_user('u', ['OPERATOR'], ['b']);
  await backend.set_user_state('u', 'SUSPENDED');
  await backend.reset_user('u');
  await backend.invite_again('u');
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
    ['keep_application', { form: FORM }],
    [
      'attach_file',
      new Uint8Array([0x25, 0x50, 0x44, 0x46, 0x2d]),
      { headers: { 'x-file-name': 'c%C3%A1mara.pdf' } },
    ],
    ['entity_users', { q: 'ana', after: null }],
    ['invite_user', { form: INVITATION }],
    ['assign_user', { id: 'u', roles: ['OPERATOR'], branches: ['b'] }],
    ['set_user_state', { id: 'u', state: 'SUSPENDED' }],
    ['reset_user', { id: 'u' }],
    ['invite_again', { id: 'u' }],
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
    'application_requests',
    'begin_application',
    'detach_file',
    'send_application',
    'entity_branches',
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
