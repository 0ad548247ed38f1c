import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CARD, Hand, REPORTED, settle, VOIDED } from '../../testing/hand';
import { LookupFlow } from './flow.svelte';

let hand: Hand;
let flow: LookupFlow;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
  hand = new Hand();
  flow = new LookupFlow(hand.backend);
  return flow.start();
});

function ask(number = '1045678901'): void {
  flow.type(number, true);
  void flow.consult();
}

async function show(card = CARD): Promise<void> {
  ask(card.document.number);
  await hand.answer('lookup', card);
}

describe('consulting', () => {
  it('asks as it was typed: the desk reads dots and spaces', () => {
    ask('1.045.678.901');
    expect(hand.asked).toContainEqual(['lookup', 'CC', '1.045.678.901']);
  });

  it('waits 200 ms before it says that it waits', async () => {
    ask();
    await vi.advanceTimersByTimeAsync(199);
    expect(flow.state).toMatchObject({ slow: false });
    await vi.advanceTimersByTimeAsync(1);
    expect(flow.state).toMatchObject({ slow: true });
  });

  it('asks once when Enter is pressed twice', () => {
    ask();
    void flow.consult();
    expect(hand.count('lookup')).toBe(1);
  });

  it('shows the last person asked about, whichever answer comes first', async () => {
    ask('111111');
    ask('222222');
    const second = { ...CARD, lookup_id: 'second' };
    await hand.answer('lookup', second, 1);
    await hand.answer('lookup', { ...CARD, lookup_id: 'first' }, 0);
    expect(flow.state).toMatchObject({ at: 'card', card: { lookup_id: 'second' } });
  });

  it('keeps the number when it is refused, and the error goes with the next key', async () => {
    ask('12');
    await hand.refuse('lookup', 'DOCUMENT_TOO_SHORT');
    expect(flow).toMatchObject({ number: '12', state: { at: 'refused' } });
    flow.type('123', false);
    expect(flow.state.at).toBe('empty');
  });

  it('tells the window of refusals that concern more than this screen', async () => {
    const noted = vi.fn(() => ({ code: 'NOT_SIGNED_IN', params: {} }) as const);
    flow = new LookupFlow(hand.backend, noted);
    ask();
    await hand.refuse('lookup', 'NOT_SIGNED_IN');
    expect(noted).toHaveBeenCalledOnce();
  });
});

describe('going on to the next person', () => {
  it('takes the card away with the first key of the next number', async () => {
    await show();
    flow.type('2', true);
    expect(flow).toMatchObject({ number: '2', state: { at: 'empty' } });
    expect(hand.count('clear_card')).toBe(1);
    void flow.report();
    expect(hand.count('report_use')).toBe(0);
  });

  it('begins with a cédula again, unless the number is only being corrected', async () => {
    flow.choose('CE');
    await show();
    flow.type('104567890', false);
    expect(flow.kind).toBe('CE');
    await show();
    flow.type('2', true);
    expect(flow.kind).toBe('CC');
  });

  it('takes the card away when the kind changes: it was about another document', async () => {
    await show();
    flow.choose('CE');
    expect(flow).toMatchObject({ kind: 'CE', number: '1045678901', state: { at: 'empty' } });
  });

  it('clears all on Escape', async () => {
    flow.choose('CE');
    await show();
    flow.escape();
    expect(flow).toMatchObject({ kind: 'CC', number: '', state: { at: 'empty' } });
  });

  it('drops the late answer of a card that is gone', async () => {
    await show({ ...CARD, verdict: 'ACTIVE_FROM_COPY', source: 'copy' });
    flow.escape();
    await hand.tell_card({ ...CARD, verdict: 'NOT_ACTIVE' });
    expect(flow.state.at).toBe('empty');
  });
});

describe('the card on the screen', () => {
  it('goes by itself after two minutes, with the number', async () => {
    await show();
    await vi.advanceTimersByTimeAsync(119_000);
    expect(flow.state.at).toBe('card');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flow).toMatchObject({ number: '', state: { at: 'empty' } });
    expect(hand.count('clear_card')).toBe(1);
  });

  it('is replaced by the late answer and stays two minutes more', async () => {
    await show({ ...CARD, verdict: 'NO_DATA', source: 'none', may_report: false });
    await vi.advanceTimersByTimeAsync(100_000);
    await hand.tell_card({ ...CARD, replaces: 'NO_DATA' });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(flow.state).toMatchObject({ at: 'card', card: { verdict: 'ACTIVE', replaces: 'NO_DATA' } });
  });

  it('does not go while the use is being saved', async () => {
    await show();
    void flow.report();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(flow.state.at).toBe('card');
  });
});

describe('reporting', () => {
  it('saves with F2 and shows it', async () => {
    await show();
    void flow.report();
    expect(hand.asked).toContainEqual(['report_use', 'lookup-1', false]);
    await hand.answer('report_use', { ...CARD, reported: REPORTED });
    expect(flow.state).toMatchObject({ card: { reported: { state: 'queued' } } });
  });

  it('reports once, however often the key is pressed', async () => {
    await show();
    void flow.report();
    void flow.report();
    void flow.report_again();
    expect(hand.count('report_use')).toBe(1);
  });

  it('reports a second use of the day only with the second key', async () => {
    await show({ ...CARD, used_today: [{ occurred_at: '2026-11-22T13:00:00Z', branch_name: 'Sede Norte' }] });
    void flow.report();
    void flow.report();
    expect(hand.count('report_use')).toBe(0);
    void flow.report_again();
    expect(hand.asked).toContainEqual(['report_use', 'lookup-1', true]);
  });

  it('leaves the question with the first Escape and the card with the second', async () => {
    await show({ ...CARD, used_today: [{ occurred_at: '2026-11-22T13:00:00Z', branch_name: 'Sede Norte' }] });
    void flow.report();
    flow.escape();
    expect(flow.state).toMatchObject({ at: 'card', report: { at: 'ready' } });
    flow.escape();
    expect(flow.state.at).toBe('empty');
  });

  it('says what became of the use when the desk tells, and asks nothing itself', async () => {
    await show({ ...CARD, reported: REPORTED });
    await hand.tell_status({ pending: 1 });
    await hand.tell_card({ ...CARD, reported: { ...REPORTED, state: 'accepted' } });
    expect(flow.state).toMatchObject({ card: { reported: { state: 'accepted' } } });
    expect(hand.count('outbox')).toBe(0);
  });

  it('does not keep the card longer because its use was sent', async () => {
    await show({ ...CARD, reported: REPORTED });
    await vi.advanceTimersByTimeAsync(100_000);
    await hand.tell_card({ ...CARD, reported: { ...REPORTED, state: 'accepted' } });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(flow.state.at).toBe('empty');
  });

  it('does not keep the card longer because the clock was put back', async () => {
    await show(CARD);
    await vi.advanceTimersByTimeAsync(2000);
    expect(flow.state.at).toBe('card');
    const yesterday_ms = Date.now() - 86_400_000;
    vi.spyOn(Date, 'now').mockReturnValue(yesterday_ms);
    await vi.advanceTimersByTimeAsync(1000);
    vi.restoreAllMocks();
    expect(flow.state.at).toBe('empty');
  });

  it('shows that it was taken back, here or in the report', async () => {
    await show({ ...CARD, reported: REPORTED });
    const lists = hand.count('recent_lookups');
    flow.voided(REPORTED.id, VOIDED);
    expect(flow.state).toMatchObject({ card: { voided: VOIDED } });
    expect(hand.count('recent_lookups')).toBe(lists + 1);
  });
});

it('keeps the old list when the new one cannot be read', async () => {
  flow.recent = [
    { lookup_id: 'a', at: CARD.valid_until ?? '', document_masked: '•••1', verdict: 'ACTIVE', used: false },
  ];
  void flow.refresh_recent();
  await hand.refuse('recent_lookups', 'STORE_FAILED');
  await settle();
  expect(flow.recent).toHaveLength(1);
});
