import { beforeEach, describe, expect, it } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import type { OutboxItem } from '../../bindings/OutboxItem';
import { Hand, STATUS } from '../../testing/hand';
import { Outbox } from './outbox.svelte';
import { explanation, nextAttempt, split } from './por-enviar';

const ITEM: OutboxItem = {
  id: 'item-1',
  kind: 'usage_report',
  state: 'queued',
  code: null,
  occurred_at: '2026-11-22T15:32:00Z',
  document_masked: '•••8901',
  branch_name: 'Sede Norte',
  operator_name: 'Ana Rodríguez',
  attempts: 0,
  last_cause: null,
  next_attempt_at: null,
};
const REFUSED: OutboxItem = { ...ITEM, id: 'item-2', state: 'needs_attention', code: 'BRANCH_NOT_ALLOWED' };
const NOW = new Date('2026-11-22T15:32:00Z');

describe('an item', () => {
  it('stands apart when a person has to look', () => {
    expect(split([ITEM, REFUSED])).toEqual({ attention: [REFUSED], waiting: [ITEM] });
  });

  it("is explained by the server's code, else by the last failure, else honestly", () => {
    expect(explanation(REFUSED).what).toContain('sede');
    expect(explanation({ ...ITEM, last_cause: 'TIMED_OUT' }).what).toBe('Hanna no respondió a tiempo.');
    expect(explanation({ ...REFUSED, code: null }).what).toContain('no explicó');
  });

  it('says when it is tried next', () => {
    expect(nextAttempt(ITEM, NOW)).toBe('en cuanto haya conexión');
    expect(nextAttempt({ ...ITEM, next_attempt_at: '2026-11-22T15:31:59Z' }, NOW)).toBe(
      'en cuanto haya conexión',
    );
    expect(nextAttempt({ ...ITEM, next_attempt_at: '2026-11-22T15:37:00Z' }, NOW)).toBe('hoy 10:37');
    expect(nextAttempt({ ...ITEM, state: 'sending' }, NOW)).toBe('Enviando');
  });
});

describe('the list', () => {
  let hand: Hand;
  let desk: Desk;
  let outbox: Outbox;

  beforeEach(() => {
    hand = new Hand();
    desk = new Desk(hand.backend);
    outbox = new Outbox(desk);
    return outbox.start();
  });

  it('is read again whenever something moved', async () => {
    await hand.answer('outbox', { items: [ITEM], lookups: 0, last_sync: null });
    expect(outbox.items).toEqual([ITEM]);
    await hand.tell_status();
    await hand.answer('outbox', { items: [], lookups: 0, last_sync: null });
    expect(outbox.items).toEqual([]);
  });

  it('never lets an older answer bring back what is sent', async () => {
    await hand.tell_status();
    await hand.answer('outbox', { items: [], lookups: 0, last_sync: null }, 1);
    await hand.answer('outbox', { items: [ITEM], lookups: 0, last_sync: null }, 0);
    expect(outbox.items).toEqual([]);
  });

  it('is unknown, not empty, when it cannot be read', async () => {
    await hand.refuse('outbox', 'STORE_FAILED');
    expect(outbox).toMatchObject({ items: null, error: { code: 'STORE_FAILED' } });
  });

  it('puts an item back in the queue, once', async () => {
    await hand.answer('outbox', { items: [REFUSED], lookups: 0, last_sync: null });
    void outbox.retry(REFUSED.id);
    void outbox.retry(REFUSED.id);
    expect(hand.count('retry_item')).toBe(1);
    await hand.answer('retry_item', {
      items: [{ ...REFUSED, state: 'queued' }],
      lookups: 0,
      last_sync: null,
    });
    expect(outbox.items).toMatchObject([{ state: 'queued' }]);
  });

  it('puts everything back in the queue, once, and nothing else meanwhile', async () => {
    await hand.answer('outbox', {
      items: [REFUSED, { ...REFUSED, id: 'item-3' }],
      lookups: 0,
      last_sync: null,
    });
    void outbox.retry_all();
    void outbox.retry_all();
    void outbox.retry(REFUSED.id);
    expect([hand.count('retry_all'), hand.count('retry_item')]).toEqual([1, 0]);
    await hand.answer('retry_all', { items: [{ ...REFUSED, state: 'queued' }], lookups: 0, last_sync: null });
    expect(outbox).toMatchObject({ items: [{ state: 'queued' }], retrying: null });
  });

  it('gives an item up, and shows what is left', async () => {
    await hand.answer('outbox', { items: [REFUSED], lookups: 3, last_sync: null });
    const done = outbox.withdraw(REFUSED.id, 'no vino');
    expect(hand.asked).toContainEqual(['withdraw_item', REFUSED.id, 'no vino']);
    await hand.answer('withdraw_item', { items: [], lookups: 3, last_sync: null });
    expect(await done).toBeNull();
    expect(outbox).toMatchObject({ items: [], lookups: 3, withdrawing: false });
  });

  it('says why it could not give an item up, to whom asked, and keeps it', async () => {
    await hand.answer('outbox', { items: [REFUSED], lookups: 0, last_sync: null });
    const done = outbox.withdraw(REFUSED.id, 'no vino');
    await hand.refuse('withdraw_item', 'ITEM_NOT_FOUND');
    expect(await done).toEqual({ code: 'ITEM_NOT_FOUND', params: {} });
    expect(outbox).toMatchObject({ items: [REFUSED], error: null, withdrawing: false });
  });

  it('sends now, and shows the status that came back', async () => {
    await hand.answer('outbox', { items: [ITEM], lookups: 0, last_sync: null });
    desk.phase = 'open';
    void outbox.send_now();
    await hand.answer('sync_now', STATUS);
    await hand.answer('status', STATUS);
    await hand.answer('outbox', { items: [], lookups: 0, last_sync: null });
    expect(desk.status).toEqual(STATUS);
    expect(outbox).toMatchObject({ items: [], sending: false });
  });

  it('says why it could not send, and keeps the items', async () => {
    await hand.answer('outbox', { items: [ITEM], lookups: 0, last_sync: null });
    void outbox.send_now();
    await hand.refuse('sync_now', 'SERVER_UNREACHABLE');
    expect(outbox).toMatchObject({ items: [ITEM], sending: false, error: { code: 'SERVER_UNREACHABLE' } });
  });
});
