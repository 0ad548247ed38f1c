import { describe, expect, it } from 'vitest';
import { Hand, settle, STATUS } from '../testing/hand';
import { Desk } from './desk.svelte';

const BEFORE = { ...STATUS, online: false, last_sync_at: null };

function opened(): { hand: Hand; desk: Desk } {
  const hand = new Hand();
  const desk = new Desk(hand.backend);
  desk.follow();
  desk.phase = 'open';
  return { hand, desk };
}

describe('the status', () => {
  it('is asked for again when the desk told another one meanwhile', async () => {
    const { hand, desk } = opened();
    const done = desk.refresh_status();
    await hand.tell_status({ pending: 3 });
    await hand.answer('status', BEFORE);
    expect(desk.status?.pending).toBe(3);
    await hand.answer('status', { ...STATUS, pending: 4 });
    await done;
    expect(desk.status?.pending).toBe(4);
    expect(hand.count('status')).toBe(2);
  });

  it('is what was told, and what is read after an attempt, never what an attempt began with', async () => {
    const { hand, desk } = opened();
    const done = desk.try_now();
    await hand.tell_status({ pending: 3 });
    await hand.answer('sync_now', BEFORE);
    expect(desk.status?.pending).toBe(3);
    await hand.answer('status', STATUS);
    await done;
    expect([desk.status?.pending, desk.trying]).toEqual([0, false]);
  });

  it('is told as unreadable when it cannot be read', async () => {
    const { hand, desk } = opened();
    const done = desk.refresh_status();
    await hand.refuse('status', 'STORE_FAILED');
    await done;
    await settle();
    expect(desk.status).toBeNull();
  });
});
