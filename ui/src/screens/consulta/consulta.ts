/**
 * The lookup, as the screen lives it: a pure state machine.
 *
 * ```text
 * empty → asking → card → (ready → saving → ready | confirming → saving …)
 *                → refused (the number cannot be asked about)
 * any → empty (Escape, the next number, two minutes)
 * ```
 *
 * An answer counts only for the request it answers: the operator may have gone on to the next person. A late online
 * answer replaces the card of its own lookup and no other; it may even arrive before the card it replaces, because
 * events and answers travel separately, so `asking` keeps the early ones. In the same way the card comes once more when
 * its use is settled, perhaps before the answer to the report itself: the card stays the one it was, and what is settled
 * stays settled.
 *
 * Absent on purpose: any judgement on the person. `may_report`, the verdict and its reasons are the desk's.
 */
import type { CommandError } from '../../backend/backend';
import type { Card } from '../../bindings/Card';
import type { DocumentKind } from '../../bindings/DocumentKind';
import type { Reported } from '../../bindings/Reported';
import type { Voided } from '../../bindings/Voided';

/** How long a card stays: personal data does not stand on the screen for the next in the queue. */
export const CARD_SHOWN_MS = 120_000;
/** The part of it, at the end, in which the remaining seconds are shown. */
export const COUNTDOWN_MS = 60_000;
/** Before this, no sign of waiting: it would only flicker. */
export const SLOW_AFTER_MS = 200;

export interface Asked {
  kind: DocumentKind;
  number: string;
}

/** Where reporting the use stands. */
export type Report =
  | { at: 'ready' }
  /** Already used today: the deliberate second key is awaited. */
  | { at: 'confirming' }
  | { at: 'saving'; again: boolean }
  | { at: 'failed'; error: CommandError };

export type State =
  | { at: 'empty' }
  | { at: 'asking'; request: number; asked: Asked; slow: boolean; early: Card[] }
  | { at: 'refused'; asked: Asked; error: CommandError }
  | { at: 'card'; asked: Asked; card: Card; shown_ms: number; report: Report };

export type Event =
  | { is: 'asked'; request: number; asked: Asked }
  | { is: 'slow'; request: number }
  | { is: 'answered'; request: number; card: Card; now_ms: number }
  | { is: 'refused'; request: number; error: CommandError }
  | { is: 'late'; card: Card; now_ms: number }
  | { is: 'cleared' }
  | { is: 'report_pressed' }
  | { is: 'again_pressed' }
  | { is: 'again_declined' }
  | { is: 'saved'; card: Card }
  | { is: 'not_saved'; lookup_id: string; error: CommandError }
  | { is: 'voided'; report_id: string; voided: Voided };

export const EMPTY: State = { at: 'empty' };

/** The state after `event`. An event that no longer concerns the screen changes nothing. */
export function next(state: State, event: Event): State {
  switch (event.is) {
    case 'asked':
      return { at: 'asking', request: event.request, asked: event.asked, slow: false, early: [] };
    case 'slow':
      return answers(state, event) ? { ...state, slow: true } : state;
    case 'answered':
      return answers(state, event) ? answered(state, event.card, event.now_ms) : state;
    case 'refused':
      return answers(state, event) ? { at: 'refused', asked: state.asked, error: event.error } : state;
    case 'late':
      if (state.at === 'asking') return { ...state, early: [...state.early, event.card] };
      return shows(state, event.card.lookup_id) ? replaced(state, event.card, event.now_ms) : state;
    case 'cleared':
      return EMPTY;
    default:
      return state.at === 'card' ? reporting(state, event) : state;
  }
}

type Asking = Extract<State, { at: 'asking' }>;
type Shown = Extract<State, { at: 'card' }>;
type ReportEvent = Exclude<Event, { is: 'asked' | 'slow' | 'answered' | 'refused' | 'late' | 'cleared' }>;

function answers(state: State, { request }: { request: number }): state is Asking {
  return state.at === 'asking' && state.request === request;
}

function shows(state: State, lookup_id: string): state is Shown {
  return state.at === 'card' && state.card.lookup_id === lookup_id;
}

function answered({ asked, early }: Asking, card: Card, now_ms: number): State {
  const shown: Shown = { at: 'card', asked, card, shown_ms: now_ms, report: { at: 'ready' } };
  const later = early.findLast(({ lookup_id }) => lookup_id === card.lookup_id);
  return later ? replaced(shown, later, now_ms) : shown;
}

/** The use that was reported on the card stays reported, whatever the late answer says. */
function replaced(state: Shown, card: Card, now_ms: number): State {
  const use = use_of(state.card, card);
  // The same answer, its use settled: it is as old as it was, and goes when it would have gone.
  if (same_answer(state.card, card)) return { ...state, card: { ...state.card, ...use } };
  const report: Report = state.report.at === 'saving' ? state.report : { at: 'ready' };
  return { ...state, card: { ...card, ...use }, shown_ms: now_ms, report };
}

type Use = Pick<Card, 'reported' | 'may_void' | 'voided'>;

/** The use on the card and its void, by whichever of both knows more of the use. */
function use_of(known: Card, told: Card): Use {
  const reported = furthest(known.reported, told.reported);
  const { may_void, voided } = reported === told.reported ? told : known;
  return { reported, may_void, voided };
}

function same_answer(one: Card, other: Card): boolean {
  return (
    one.statement_id === other.statement_id && one.source === other.source && one.verdict === other.verdict
  );
}

/** What is known of the use. Answers and events overtake each other: one that is settled waits no more. */
function furthest(known: Reported | null, told: Reported | null): Reported | null {
  if (known === null || told === null || known.id !== told.id) return told ?? known;
  return waits(told) && !waits(known) ? known : told;
}

function waits({ state }: Reported): boolean {
  return state === 'queued' || state === 'sending';
}

function reporting(state: Shown, event: ReportEvent): State {
  const { card, report } = state;
  const reportable = card.may_report && card.reported === null && report.at !== 'saving';
  switch (event.is) {
    case 'report_pressed':
      if (!reportable || report.at === 'confirming') return state;
      return {
        ...state,
        report: card.used_today.length > 0 ? { at: 'confirming' } : { at: 'saving', again: false },
      };
    case 'again_pressed':
      return reportable && report.at === 'confirming'
        ? { ...state, report: { at: 'saving', again: true } }
        : state;
    case 'again_declined':
      return report.at === 'confirming' ? { ...state, report: { at: 'ready' } } : state;
    case 'saved': {
      if (!shows(state, event.card.lookup_id)) return state;
      const replaces = event.card.replaces ?? card.replaces;
      const use = use_of(card, event.card);
      return { ...state, card: { ...event.card, replaces, ...use }, report: { at: 'ready' } };
    }
    case 'not_saved':
      if (!shows(state, event.lookup_id)) return state;
      // The desk knows of a use that the card did not show: the second key is needed after all.
      if (event.error.code === 'ALREADY_USED_TODAY') return { ...state, report: { at: 'confirming' } };
      return { ...state, report: { at: 'failed', error: event.error } };
    case 'voided':
      if (card.reported?.id !== event.report_id) return state;
      return { ...state, card: { ...card, may_void: false, voided: event.voided } };
  }
}

/** How long the card still stays; `null` when there is none, or while a use is being saved. */
export function remaining_ms(state: State, now_ms: number): number | null {
  if (state.at !== 'card' || state.report.at === 'saving') return null;
  return Math.max(0, state.shown_ms + CARD_SHOWN_MS - now_ms);
}

/** The seconds to show; only in the last minute. */
export function countdown_s(state: State, now_ms: number): number | null {
  const left = remaining_ms(state, now_ms);
  return left === null || left > COUNTDOWN_MS ? null : Math.ceil(left / 1000);
}
