import { describe, expect, it } from 'vitest';
import { CARD, REPORTED, VOIDED } from '../../testing/hand';
import { countdown_s, EMPTY, type Event, next, remaining_ms, type State } from './consulta';

const ASKED = { kind: 'CC', number: '1045678901' } as const;
const USED = [{ occurred_at: '2026-11-22T13:00:00Z', branch_name: 'Sede Norte' }];

const story = (...events: Event[]): State => events.reduce(next, EMPTY);
const asked = (request = 1): Event => ({ is: 'asked', request, asked: ASKED });
const answered = (card = CARD, request = 1): Event => ({ is: 'answered', request, card, now_ms: 1000 });
const late = (card = CARD): Event => ({ is: 'late', card, now_ms: 5000 });

describe('asking', () => {
  it('shows the answer to the question', () => {
    expect(story(asked(), answered())).toMatchObject({ at: 'card', card: CARD, shown_ms: 1000 });
  });

  it('shows that it waits only when it takes long', () => {
    expect(story(asked())).toMatchObject({ slow: false });
    expect(story(asked(), { is: 'slow', request: 1 })).toMatchObject({ at: 'asking', slow: true });
  });

  it('drops the answer to a question the operator has left', () => {
    expect(story(asked(1), asked(2), answered(CARD, 1))).toMatchObject({ at: 'asking', request: 2 });
    expect(story(asked(1), { is: 'cleared' }, answered(CARD, 1))).toEqual(EMPTY);
    expect(story(asked(1), asked(2), { is: 'slow', request: 1 })).toMatchObject({ slow: false });
  });

  it('drops the refusal of a question the operator has left', () => {
    const refused: Event = { is: 'refused', request: 1, error: { code: 'DOCUMENT_TOO_SHORT', params: {} } };
    expect(story(asked(1), refused)).toMatchObject({ at: 'refused' });
    expect(story(asked(1), asked(2), refused)).toMatchObject({ at: 'asking', request: 2 });
  });
});

describe('a late answer', () => {
  const from_copy = { ...CARD, verdict: 'ACTIVE_FROM_COPY', source: 'copy' } as const;
  const not_active = {
    ...CARD,
    verdict: 'NOT_ACTIVE',
    may_report: false,
    replaces: 'ACTIVE_FROM_COPY',
  } as const;

  it('replaces the card of its own lookup, and its two minutes begin again', () => {
    expect(story(asked(), answered(from_copy), late(not_active))).toMatchObject({
      card: not_active,
      shown_ms: 5000,
    });
  });

  it('never touches the card of another person', () => {
    const other = { ...not_active, lookup_id: 'lookup-2' };
    expect(story(asked(), answered(from_copy), late(other))).toMatchObject({ card: from_copy });
    expect(next(EMPTY, late(not_active))).toEqual(EMPTY);
  });

  it('counts also when it overtakes the card it replaces', () => {
    expect(story(asked(), late(not_active), answered(from_copy))).toMatchObject({
      card: { verdict: 'NOT_ACTIVE' },
    });
    const other = { ...not_active, lookup_id: 'lookup-2' };
    expect(story(asked(), late(other), answered(from_copy))).toMatchObject({ card: from_copy });
  });

  it('does not take back a use that is reported', () => {
    const reported = { ...from_copy, reported: REPORTED };
    const state = story(asked(), answered(reported), late(not_active));
    expect(state).toMatchObject({ card: { verdict: 'NOT_ACTIVE', reported: REPORTED } });
  });

  it('takes back the question about a second use: what was asked has changed', () => {
    const used = { ...from_copy, used_today: USED };
    const confirming = story(asked(), answered(used), { is: 'report_pressed' });
    expect(next(confirming, late(not_active))).toMatchObject({ report: { at: 'ready' } });
  });
});

describe('reporting', () => {
  const pressed: Event = { is: 'report_pressed' };
  const again: Event = { is: 'again_pressed' };

  it('saves on one key when there is no use today', () => {
    expect(story(asked(), answered(), pressed)).toMatchObject({ report: { at: 'saving', again: false } });
  });

  it('needs the second, different key when there is one', () => {
    const shown = story(asked(), answered({ ...CARD, used_today: USED }));
    expect(next(shown, again)).toBe(shown);
    const confirming = next(shown, pressed);
    expect(confirming).toMatchObject({ report: { at: 'confirming' } });
    expect(next(confirming, pressed)).toBe(confirming);
    expect(next(confirming, again)).toMatchObject({ report: { at: 'saving', again: true } });
    expect(next(confirming, { is: 'again_declined' })).toMatchObject({ report: { at: 'ready' } });
  });

  it('asks for the second key when only the desk knew of a use', () => {
    const error = { code: 'ALREADY_USED_TODAY', params: {} } as const;
    const state = story(asked(), answered(), pressed, { is: 'not_saved', lookup_id: CARD.lookup_id, error });
    expect(state).toMatchObject({ report: { at: 'confirming' } });
  });

  it('does nothing on a card that does not allow it, is saving, or is reported', () => {
    const refused = story(asked(), answered({ ...CARD, may_report: false }));
    expect(next(refused, pressed)).toBe(refused);
    const saving = story(asked(), answered(), pressed);
    expect(next(saving, pressed)).toBe(saving);
    const done = story(asked(), answered({ ...CARD, reported: REPORTED }));
    expect(next(done, pressed)).toBe(done);
  });

  const saved: Event = { is: 'saved', card: { ...CARD, reported: REPORTED } };
  const settled = late({ ...CARD, reported: { ...REPORTED, state: 'accepted' } });

  it('shows what was saved, and what became of it, on the card as it was', () => {
    const waiting = story(asked(), answered(), pressed, saved);
    expect(waiting).toMatchObject({ report: { at: 'ready' }, card: { reported: { state: 'queued' } } });
    expect(next(waiting, settled)).toMatchObject({
      card: { reported: { state: 'accepted' } },
      shown_ms: 1000,
    });
  });

  it('knows it settled also when that is told before the report itself is answered', () => {
    const early = story(asked(), answered(), pressed, settled);
    expect(early).toMatchObject({ report: { at: 'saving' } });
    expect(next(early, saved)).toMatchObject({
      report: { at: 'ready' },
      card: { reported: { state: 'accepted' } },
    });
  });

  it('follows it through a second attempt', () => {
    const refused = late({ ...CARD, reported: { ...REPORTED, state: 'needs_attention' } });
    expect(story(asked(), answered(), pressed, saved, refused, settled)).toMatchObject({
      card: { reported: { state: 'accepted' } },
    });
  });

  it('is taken back on its own card alone, and stays so through a late answer', () => {
    const waiting = story(asked(), answered(), pressed, saved);
    expect(next(waiting, { is: 'voided', report_id: 'another', voided: VOIDED })).toBe(waiting);
    const voided = next(waiting, { is: 'voided', report_id: REPORTED.id, voided: VOIDED });
    expect(voided).toMatchObject({ card: { voided: VOIDED, may_void: false } });
    expect(next(voided, late({ ...CARD, statement_id: 'later' }))).toMatchObject({
      card: { voided: VOIDED },
    });
    expect(next(voided, pressed)).toBe(voided);
  });

  it('is a use again when its void was given up, and never by an older word', () => {
    const use = { ...CARD, reported: { ...REPORTED, state: 'accepted' as const } };
    const voided = story(asked(), answered(), pressed, saved, late({ ...use, voided: VOIDED }));
    expect(voided).toMatchObject({ card: { voided: VOIDED, may_void: false } });
    expect(next(voided, late({ ...use, may_void: true }))).toMatchObject({
      card: { voided: null, may_void: true },
    });
    const older = late({ ...CARD, reported: REPORTED, may_void: true });
    expect(next(voided, older)).toMatchObject({ card: { voided: VOIDED, may_void: false } });
  });

  it('keeps the card and says why when it could not be saved', () => {
    const error = { code: 'DISK_FULL', params: {} } as const;
    const state = story(asked(), answered(), pressed, { is: 'not_saved', lookup_id: CARD.lookup_id, error });
    expect(state).toMatchObject({ card: CARD, report: { at: 'failed', error } });
    expect(next(state, pressed)).toMatchObject({ report: { at: 'saving' } });
  });

  it('does not put what came of one card on the next', () => {
    const second = story(asked(), answered({ ...CARD, lookup_id: 'lookup-2' }));
    expect(next(second, { is: 'saved', card: { ...CARD, reported: REPORTED } })).toBe(second);
    const error = { code: 'DISK_FULL', params: {} } as const;
    expect(next(second, { is: 'not_saved', lookup_id: 'lookup-1', error })).toBe(second);
  });
});

describe('the clock of the card', () => {
  const shown = story(asked(), answered());

  it('gives it two minutes, and counts down in the last one', () => {
    expect(remaining_ms(shown, 1000)).toBe(120_000);
    expect(countdown_s(shown, 60_999)).toBeNull();
    expect(countdown_s(shown, 61_000)).toBe(60);
    expect(countdown_s(shown, 120_500)).toBe(1);
    expect(remaining_ms(shown, 500_000)).toBe(0);
  });

  it('stands still while a use is being saved', () => {
    expect(remaining_ms(next(shown, { is: 'report_pressed' }), 500_000)).toBeNull();
  });

  it('is only for cards', () => {
    expect(remaining_ms(EMPTY, 0)).toBeNull();
    expect(countdown_s(story(asked()), 0)).toBeNull();
  });
});
