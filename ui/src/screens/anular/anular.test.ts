import { beforeEach, describe, expect, it } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import { REASON_TEXT_MAX } from '../../reason';
import { Hand, VOIDED } from '../../testing/hand';
import { missing, refused, type Use } from './anular';
import { VoidUse } from './void-use.svelte';

const USE: Use = {
  report_id: 'report-1',
  document_masked: '•••8901',
  occurred_at: '2026-11-22T15:32:00Z',
  branch_name: 'Sede Norte',
};

describe('what is missing', () => {
  it('is the reason, and its words when it is another one', () => {
    expect(missing(null, 'algo')?.field).toBe('reason');
    expect(missing('NOT_USED', '')).toBeNull();
    expect(missing('OTHER', '  ')).toEqual({ field: 'text', text: 'Escriba el motivo.' });
    expect(missing('OTHER', 'se equivocó')).toBeNull();
  });

  it('is said where it can be put right', () => {
    const long = 'a'.repeat(REASON_TEXT_MAX + 1);
    expect(missing('NOT_USED', long)).toEqual({
      field: 'text',
      text: 'El motivo es muy largo: use 200 letras o menos.',
    });
    expect(refused({ code: 'REASON_REQUIRED', params: {} }).field).toBe('text');
    expect(refused({ code: 'VOID_NOT_ALLOWED', params: {} }).field).toBeNull();
  });
});

describe('taking a use back', () => {
  let hand: Hand;
  let voiding: VoidUse;

  beforeEach(() => {
    hand = new Hand();
    voiding = new VoidUse(new Desk(hand.backend), USE);
  });

  it('asks the desk nothing before there is a reason', async () => {
    expect(await voiding.confirm()).toBeNull();
    expect(voiding.problem?.field).toBe('reason');
    expect(hand.count('void_use')).toBe(0);
  });

  it('happens once, however often it is confirmed', async () => {
    voiding.reason = 'REPORTED_TWICE';
    const first = voiding.confirm();
    expect(await voiding.confirm()).toBeNull();
    await hand.answer('void_use', VOIDED);
    expect(await first).toEqual(VOIDED);
    expect(hand.asked).toEqual([['void_use', 'report-1', 'REPORTED_TWICE', '']]);
  });

  it('takes back what it said as soon as something is changed, but not that the desk said no', async () => {
    voiding.choose('NOT_USED');
    void voiding.confirm();
    await hand.refuse('void_use', 'ALREADY_VOIDED');
    expect(voiding.problem?.text).toBe('Este uso ya estaba anulado.');
    voiding.write('se equivocó');
    expect(voiding).toMatchObject({ problem: null, refused: true });
  });

  it('says why it did not happen, and can be tried again', async () => {
    voiding.reason = 'OTHER';
    voiding.text = 'se equivocó';
    const first = voiding.confirm();
    await hand.refuse('void_use', 'DISK_FULL');
    expect(await first).toBeNull();
    expect(voiding).toMatchObject({ saving: false, problem: { field: null } });
    const second = voiding.confirm();
    expect(voiding.problem).toBeNull();
    await hand.answer('void_use', VOIDED);
    expect(await second).toEqual(VOIDED);
  });
});
