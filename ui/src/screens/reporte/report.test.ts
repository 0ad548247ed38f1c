import { beforeEach, describe, expect, it } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import type { History } from '../../bindings/History';
import { Hand, ROW, VOIDED } from '../../testing/hand';
import { Report } from './report.svelte';

const QUERY = { from: '2026-11-01', to: '2026-11-30', branch_id: null };
const history = (uses: number): History => ({
  rows: [],
  totals: [{ tariff: 'A', uses }],
  complete: true,
  cause: null,
});

let hand: Hand;
let report: Report;

beforeEach(() => {
  hand = new Hand();
  report = new Report(new Desk(hand.backend));
});

describe('generating', () => {
  it('shows the last question asked, whichever answer comes first', async () => {
    void report.load(QUERY);
    void report.load({ ...QUERY, from: '2026-11-22' });
    await hand.answer('history', history(2), 1);
    await hand.answer('history', history(1), 0);
    expect(report).toMatchObject({ history: history(2), loading: false });
  });

  it('does not let the failure of an old question take away the new answer', async () => {
    void report.load(QUERY);
    void report.load(QUERY);
    await hand.answer('history', history(2), 1);
    await hand.refuse('history', 'SERVER_FAILED');
    expect(report).toMatchObject({ history: history(2), error: null });
  });

  it('shows no uses of before beside an error', async () => {
    void report.load(QUERY);
    await hand.answer('history', history(2));
    void report.load({ ...QUERY, from: '2000-01-01' });
    await hand.refuse('history', 'RANGE_INVALID');
    expect(report).toMatchObject({ history: null, error: { code: 'RANGE_INVALID' } });
  });
});

describe('saving', () => {
  const saved = { path: '/documentos/reporte.pdf', rows: 2, pages: 1 };

  it('says where', async () => {
    void report.save(QUERY, 'here');
    void report.save(QUERY, 'here');
    await hand.answer('save_report', saved);
    expect(report).toMatchObject({ saved, saving: null });
    expect(hand.count('save_report')).toBe(1);
  });

  it('says nothing when the person cancelled', async () => {
    void report.save(QUERY, 'as');
    await hand.answer('save_report_as', null);
    expect(report).toMatchObject({ saved: null, error: null, saving: null });
  });

  it('does not go on naming a file of other dates', async () => {
    void report.save(QUERY, 'here');
    await hand.answer('save_report', saved);
    void report.load({ ...QUERY, from: '2026-11-22' });
    expect(report.saved).toBeNull();
  });
});

describe('a use taken back', () => {
  const one: History = { ...history(1), rows: [ROW], totals: [{ tariff: 'B', uses: 1 }] };

  it('changes its row without asking again: the place in the list stays', async () => {
    void report.load(QUERY);
    await hand.answer('history', one);
    const { answers } = report;
    report.voided(ROW.id, VOIDED);
    expect(report).toMatchObject({
      history: { rows: [{ state: 'voided', voided: VOIDED }], totals: [] },
      answers,
    });
    expect(hand.count('history')).toBe(1);
  });

  it('takes away the name of a file that still counts it', async () => {
    void report.save(QUERY, 'here');
    await hand.answer('save_report', { path: '/documentos/reporte.pdf', rows: 1, pages: 1 });
    report.voided(ROW.id, VOIDED);
    expect(report.saved).toBeNull();
  });
});

describe('printing', () => {
  const printers = [
    { name: 'PDF', is_default: false },
    { name: 'Recepcion', is_default: true },
  ];

  it('offers the default printer and shows what became of the job', async () => {
    void report.choose_printer();
    await hand.answer('printers', printers);
    expect(report.print).toMatchObject({ at: 'choosing', chosen: 'Recepcion' });
    report.pick('PDF');
    void report.send_to_printer(QUERY);
    expect(hand.asked).toContainEqual(['print_report', QUERY, 'PDF']);
    const job = { printer: 'PDF', job: 'PDF-12', state: 'failed' } as const;
    await hand.answer('print_report', job);
    expect(report.print).toEqual({ at: 'finished', job });
  });

  it('lets another printer be chosen when the job was refused', async () => {
    void report.choose_printer();
    await hand.answer('printers', printers);
    void report.send_to_printer(QUERY);
    await hand.refuse('print_report', 'PRINTER_NOT_FOUND');
    expect(report.print).toMatchObject({ at: 'choosing', error: { code: 'PRINTER_NOT_FOUND' } });
  });

  it("offers the system's preview when there is no spooler or no printer", async () => {
    void report.choose_printer();
    await hand.refuse('printers', 'PRINT_FAILED');
    expect(report.print).toMatchObject({ at: 'unavailable', error: { code: 'PRINT_FAILED' } });
    void report.choose_printer();
    await hand.answer('printers', []);
    expect(report.print).toMatchObject({ at: 'unavailable', error: null });
  });

  it('stays closed when it was closed before the printers were known', async () => {
    void report.choose_printer();
    report.close_print();
    await hand.answer('printers', printers);
    expect(report.print).toEqual({ at: 'closed' });
  });

  it('cannot be closed while the job is on its way: its result would be lost', async () => {
    void report.choose_printer();
    await hand.answer('printers', printers);
    void report.send_to_printer(QUERY);
    report.close_print();
    expect(report.print).toMatchObject({ at: 'printing' });
  });
});
