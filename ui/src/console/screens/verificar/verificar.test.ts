// Verificar código, as somebody of the caja uses it with a paper in the hand; and what it works out without a screen.
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settle } from '../../../testing/hand';
import { type Controls, MockApi } from '../../api/mock';
import { ME } from '../../api/mock/data';
import { CODES } from '../../api/mock/verified';
import Page from '../../Page.svelte';
import { codeOf, readCode } from './code';
import { daysOf, usesOf } from './report';

describe('a code', () => {
  it('is read however it is typed, and written as it is printed', () => {
    const typed = CODES.use.toLowerCase();
    for (const text of [
      typed,
      typed.replaceAll('-', ''),
      typed.replaceAll('-', ' '),
      ` ${typed.replaceAll('-', '–')}\u200b\n`,
      typed.replaceAll('0', 'o').replaceAll('1', 'l'),
      typed.replaceAll('1', 'I'),
    ])
      expect(readCode(text), text).toEqual({ code: CODES.use });
  });

  it('says what is wrong with it where that can be seen', () => {
    for (const none of ['', ' ', '- -']) expect(readCode(none)).toEqual({ wrong: 'empty' });
    expect(readCode(CODES.use.slice(1))).toEqual({ wrong: 'first' });
    expect(readCode(CODES.use.slice(0, -1))).toEqual({ wrong: 'length', count: 27 });
    expect(readCode(`${CODES.use}Ñ`)).toEqual({ wrong: 'length', count: 29 });
    for (const letter of ['U', 'Ñ', '/', '.', '%'])
      expect(readCode(CODES.use.slice(0, -1) + letter), letter).toEqual({ wrong: 'letters' });
  });

  it('says what it is of', () => {
    expect(codeOf(CODES.use)).toBe('use');
    expect(codeOf(CODES.report)).toBe('report');
  });
});

describe('a report', () => {
  it('goes up to its last day, of Colombia', () => {
    expect(daysOf({ from: '2026-10-01T05:00:00Z', to: '2026-11-01T05:00:00Z' })).toEqual({
      first: '2026-10-01',
      last: '2026-10-31',
    });
    expect(daysOf({ from: '2026-11-22T05:00:00Z', to: '2026-11-23T05:00:00Z' })).toEqual({
      first: '2026-11-22',
      last: '2026-11-22',
    });
    expect(daysOf({ from: '2026-11-01T05:00:00Z', to: '2026-11-22T17:00:00Z' }).last).toBe('2026-11-22');
    expect(daysOf({ from: '2026-11-22T05:00:00Z', to: '2026-11-22T05:00:00Z' }).last).toBe('2026-11-22');
  });

  it('has as many uses as its tarifas together', () => {
    expect(usesOf({ totals: [] })).toBe(0);
    expect(
      usesOf({
        totals: [
          { tariff: 'A', uses: 120 },
          { tariff: 'B', uses: 31 },
        ],
      }),
    ).toBe(151);
  });
});

describe('the screen', () => {
  let stop: (() => void) | undefined;
  let api: MockApi;

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
  });

  afterEach(() => {
    stop?.();
    stop = undefined;
  });

  async function open(controls: Partial<Controls> = {}): Promise<void> {
    location.hash = '#/verificar';
    api = new MockApi(controls).resume(ME.operator.username);
    const console = mount(Page, { target: document.body, props: { api } });
    stop = () => void unmount(console);
    await pass(500);
  }

  async function pass(time_ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(time_ms);
    await settle();
    flushSync();
  }

  const all = (testid: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${testid}"]`)];

  function see(testid: string): HTMLElement {
    const [element] = all(testid);
    if (!element) throw new Error(`${testid} is not on the page`);
    return element;
  }

  const text = (testid: string) => see(testid).textContent?.replace(/\s+/g, ' ').trim();
  const field = () => see('verify-code') as HTMLInputElement;

  async function type(code: string): Promise<void> {
    field().value = code;
    field().dispatchEvent(new InputEvent('input', { bubbles: true }));
    await pass(0);
  }

  async function verify(code: string): Promise<void> {
    await type(code);
    see('verify-ask').click();
    await pass(500);
  }

  it('begins in the field, and teaches what a code is', async () => {
    await open();
    expect(document.activeElement).toBe(field());
    expect(text('empty')).toContain('empieza por C');
    await verify(' ');
    expect(text('error')).toContain('Escriba o pegue');
    expect(api.asked).not.toContain('verify');
  });

  it('says of a receipt what the paper has to say, and is ready for the next one', async () => {
    await open();
    await verify(CODES.use.toLowerCase().replaceAll('-', ' '));
    expect(text('answer-title')).toBe('Comprobante genuino');
    expect(text('answer-code')).toBe(CODES.use);
    expect(text('answer')).toContain('Fecha y hora 21/11/2026, 14:32');
    expect(see('answer').querySelector('[role="status"]')?.textContent).toContain('Comprobante genuino');
    expect(document.activeElement).toBe(field());
    expect(field().selectionEnd).toBe(field().value.length);
    expect(location.href).not.toContain('C01J');
  });

  it('warns of a use that was taken back', async () => {
    await open();
    await verify(CODES.voided);
    expect(text('answer-title')).toBe('Uso anulado');
    expect(see('answer').querySelector('[role="alert"]')?.textContent).toContain('ya no cuenta');
  });

  it('says of a report its days, the last one included, and its total', async () => {
    await open();
    await verify(CODES.report);
    expect(text('answer-title')).toBe('Reporte genuino');
    expect(text('answer')).toContain('del 01/10/2026 al 31/10/2026');
    expect(text('answer')).toContain('Sede Norte, Sede Centro');
    expect(all('verified-tariff')).toHaveLength(3);
    expect(text('verified-total')).toBe('Total1.609');
    expect(text('answer')).toContain('registrado el 03/11/2026, 08:05');
    await verify(CODES.empty_report);
    expect(text('answer')).toContain('Todas las sedes');
    expect(text('answer')).toContain('Días 21/11/2026');
    expect(text('verified-total')).toBe('Total0');
  });

  it('does not know a code: a use may still come, a report will not', async () => {
    await open();
    await verify(CODES.unknown_use);
    expect(text('answer-title')).toBe('Hanna no conoce este código');
    expect(text('answer')).toContain('sin conexión y aún no ha llegado');
    await verify(CODES.unknown_report);
    expect(text('answer')).toContain('ningún reporte');
    expect(text('answer')).not.toContain('aún no ha llegado');
  });

  it('says at the field that a letter is wrong', async () => {
    await open();
    await verify(CODES.use.replace('AY9V', 'AY8V'));
    expect(text('error')).toContain('no es como en el papel');
    expect(field().getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(field());
    expect(all('answer')).toEqual([]);
    await type(CODES.use);
    expect(all('error')).toEqual([]);
  });

  it('asks again after a failure', async () => {
    await open({ fail: { verify: 'UNAVAILABLE' } });
    await verify(CODES.use);
    expect(text('error')).toContain('no puede responder');
    api.controls.fail = {};
    see('retry').click();
    await pass(500);
    expect(text('answer-title')).toBe('Comprobante genuino');
    expect(document.activeElement).toBe(field());
  });

  it('shows nothing of a code while another one is typed', async () => {
    await open();
    await verify(CODES.use);
    await type('R01');
    expect(all('answer')).toEqual([]);
    api.controls.latency_ms = 2000;
    await verify(CODES.use);
    await type(CODES.voided);
    await pass(5000);
    expect(all('answer')).toEqual([]);
    await verify(CODES.voided);
    await pass(5000);
    expect(text('answer-title')).toBe('Uso anulado');
  });
});
