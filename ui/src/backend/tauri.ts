/** The desk behind the window, over Tauri's commands and events. */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Backend, Stop } from './backend';

/** Tauri answers a subscription later; stopping before that has to work too. */
function on<Payload>(event: string, listener: (payload: Payload) => void): Stop {
  const subscription = listen<Payload>(event, ({ payload }) => listener(payload));
  return () => void subscription.then((stop) => stop());
}

export const backend: Backend = {
  start: () => invoke('start'),
  sign_in: (username, password) => invoke('sign_in', { username, password }),
  judge_password: (password, personal) => invoke('judge_password', { password, personal }),
  check_nit: (text) => invoke('check_nit', { text }),
  check_contact: (email, phone) => invoke('check_contact', { email, phone }),
  register: (form) => invoke('register', { form }),
  resend_code: (id) => invoke('resend_code', { id }),
  confirm_account: (id, code) => invoke('confirm_account', { id, code }),
  forgot_password: (email) => invoke('forgot_password', { email }),
  reset_password: (email, code, password) => invoke('reset_password', { email, code, password }),
  change_password: (current, password) => invoke('change_password', { current, password }),
  sign_out: (confirmed) => invoke('sign_out', { confirmed }),
  lock_desk: () => invoke('lock_desk'),
  unlock_desk: (password) => invoke('unlock_desk', { password }),
  close_window: () => invoke('close_window'),
  refresh_session: () => invoke('refresh_session'),
  application_requests: () => invoke('application_requests'),
  begin_application: () => invoke('begin_application'),
  keep_application: (form) => invoke('keep_application', { form }),
  attach_file: async (file) =>
    invoke('attach_file', new Uint8Array(await file.arrayBuffer()), {
      headers: { 'x-file-name': encodeURIComponent(file.name) },
    }),
  detach_file: () => invoke('detach_file'),
  send_application: () => invoke('send_application'),
  entity_users: (q, after) => invoke('entity_users', { q, after }),
  entity_branches: () => invoke('entity_branches'),
  invite_user: (form) => invoke('invite_user', { form }),
  assign_user: (id, roles, branches) => invoke('assign_user', { id, roles, branches }),
  set_user_state: (id, state) => invoke('set_user_state', { id, state }),
  reset_user: (id) => invoke('reset_user', { id }),
  invite_again: (id) => invoke('invite_again', { id }),
  choose_branch: (branch_id) => invoke('choose_branch', { branch_id }),
  lookup: (kind, number) => invoke('lookup', { kind, number }),
  clear_card: () => invoke('clear_card'),
  report_use: (lookup_id, again) => invoke('report_use', { lookup_id, again }),
  void_use: (report_id, reason, text) => invoke('void_use', { report_id, reason, text }),
  recent_lookups: () => invoke('recent_lookups'),
  outbox: () => invoke('outbox'),
  retry_item: (id) => invoke('retry_item', { id }),
  retry_all: () => invoke('retry_all'),
  withdraw_item: (id, why) => invoke('withdraw_item', { id, why }),
  export_outbox: () => invoke('export_outbox'),
  recover_set_aside: () => invoke('recover_set_aside'),
  sync_now: () => invoke('sync_now'),
  status: () => invoke('status'),
  history: (query) => invoke('history', { query }),
  save_report: (query) => invoke('save_report', { query }),
  save_report_as: (query) => invoke('save_report_as', { query }),
  open_report: (path) => invoke('open_report', { path }),
  printers: () => invoke('printers'),
  print_report: (query, printer) => invoke('print_report', { query, printer }),
  on_status: (listener) => on('status', listener),
  on_card: (listener) => on('card', listener),
  on_synced: (listener) => on('synced', listener),
  on_revoked: (listener) => on('revoked', listener),
  on_upload: (listener) => on('upload', listener),
  on_closing: (listener) => on('closing', listener),
};
