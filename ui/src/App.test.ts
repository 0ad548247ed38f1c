// The window as an operator uses it, over the invented desk: what the screens must never get wrong.
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import App from './App.svelte';
import { type Controls, MockBackend } from './backend/mock';
import { settle } from './testing/hand';

const ACTIVE = '1045678901';
const USED_TODAY = '1234567890';
const ARREARS = '22543312';
const NEVER_SEEN = '1045678902';

let stop: (() => void) | undefined;
let backend: MockBackend;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
});

afterEach(() => {
  stop?.();
  stop = undefined;
});

async function open(username?: string, sede?: string, controls: Partial<Controls> = {}): Promise<void> {
  backend = new MockBackend(controls);
  if (username) backend.resume(username, sede);
  const app = mount(App, { target: document.body, props: { backend } });
  stop = () => void unmount(app);
  await pass(300);
}

async function pass(time_ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time_ms);
  await settle();
  flushSync();
}

const find = (testid: string) => document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);

function see(testid: string): HTMLElement {
  const element = find(testid);
  if (!element) throw new Error(`${testid} is not on the screen`);
  return element;
}

const text = (testid: string) => see(testid).textContent?.replace(/\s+/g, ' ').trim();

async function write(testid: string, value: string): Promise<void> {
  const input = see(testid) as HTMLInputElement;
  input.value = value;
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  await pass(0);
}

async function press(key: string, init: KeyboardEventInit = {}): Promise<void> {
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init }));
  if (key === 'Enter' && target instanceof HTMLInputElement) target.form?.requestSubmit();
  await pass(300);
}

async function click(testid: string): Promise<void> {
  see(testid).click();
  await pass(300);
}

async function consult(number: string): Promise<void> {
  see('document').focus();
  await write('document', number);
  await press('Enter');
}

const verdict = () => see('verdict').dataset['verdict'];

describe('signing in', () => {
  it('goes from Ingreso to the card: Aplicaciones, Acceder, sede', async () => {
    await open();
    expect(document.activeElement).toBe(see('username'));
    await write('username', 'ana');
    await write('password', 'convenios');
    await press('Enter');
    expect(location.hash).toBe('#/aplicaciones');
    await click('acceder');
    expect(location.hash).toBe('#/sede');
    await click('branch-GYM-02');
    expect(text('branch')).toBe('Sede Centro');
    expect(document.activeElement).toBe(see('document'));
  });

  it('puts the focus on the password and selects it when it is wrong', async () => {
    await open();
    await write('username', 'ana');
    await write('password', 'otra');
    await press('Enter');
    expect(text('error')).toContain('no son correctos');
    expect(document.activeElement).toBe(see('password'));
  });

  it('skips Sede when there is only one', async () => {
    await open('luis');
    await click('acceder');
    expect(location.hash).toBe('#/consulta');
    expect(text('branch')).toBe('Sede única');
  });

  it('explains what to do without sedes, and without the application', async () => {
    await open('marta');
    await click('acceder');
    expect(text('no-branches')).toContain('Su usuario no tiene sedes asignadas');
    stop?.();
    document.body.innerHTML = '';
    location.hash = '';
    await open('pedro');
    expect(find('acceder')).toBeNull();
    expect(text('tile-CONVENIOS')).toContain('En revisión');
  });

  it('opens on Consulta after a restart', async () => {
    await open('ana', 'GYM-01');
    expect(location.hash).toBe('#/consulta');
  });

  it('says so when the desk cannot open, and tries again', async () => {
    await open(undefined, undefined, { fail: { start: 'STORE_NEWER' } });
    expect(text('error')).toContain('versión más nueva');
  });
});

describe('consulting', () => {
  beforeEach(() => open('ana', 'GYM-01'));

  it('shows the registered data of an ACTIVO and the button', async () => {
    await consult('1.045.678.901');
    expect(verdict()).toBe('ACTIVE');
    expect(text('affiliate-name')).toBe('PÉREZ GÓMEZ, JUAN CARLOS');
    expect(text('tariff')).toBe('B');
    expect(text('company-name')).toBe('TRANSPORTES DEL NORTE S.A.S.');
    expect(find('report-use')).not.toBeNull();
    expect(document.activeElement).toBe(see('document'));
  });

  it('has no button for a refusal, but what to say and who puts it right', async () => {
    await consult(ARREARS);
    expect(verdict()).toBe('NOT_ACTIVE');
    expect(find('report-use')).toBeNull();
    expect(text('reasons')).toContain('Qué decirle');
    expect(text('reasons')).toContain('La empresa donde trabaja');
    await press('F2');
    expect(find('reported')).toBeNull();
  });

  it('says that SIN DATO is no refusal', async () => {
    backend.set_online(false);
    await consult(NEVER_SEEN);
    expect(verdict()).toBe('NO_DATA');
    expect(text('card-line2')).toBe('No es una negativa');
    expect(find('report-use')).toBeNull();
  });

  it('says how old a copy is, and softly why the copy answered', async () => {
    backend.set_online(false);
    await consult(ACTIVE);
    expect(verdict()).toBe('ACTIVE_FROM_COPY');
    expect(text('card-line2')).toContain('Según copia de hace 5 h · vence hoy');
    expect(text('cause')).toContain('No hay conexión');
  });

  it('reports with F2 and follows the use to the server', async () => {
    await consult(ACTIVE);
    await press('F2');
    expect(text('reported')).toBe('Uso guardado · por enviar');
    expect(text('last-lookups')).toContain('usado');
    await pass(2000);
    expect(text('reported')).toBe('Uso guardado · enviado');
    expect(text('status-outbox')).toBe('Todo enviado');
  });

  it('reports a second use only with the other key, and never by a click on what was there before', async () => {
    await consult(USED_TODAY);
    expect(text('used-today')).toContain('Ya se reportó hoy');
    await press('F2');
    await press('F2');
    expect(find('reported')).toBeNull();
    expect(document.activeElement).toBe(see('document'));
    await press('F2', { shiftKey: true });
    expect(find('reported')).not.toBeNull();
  });

  it('never reports the use of one person while the number of the next is being typed', async () => {
    await consult(ACTIVE);
    await write('document', '2');
    expect(find('card')).toBeNull();
    await press('F2');
    expect(text('status-outbox')).toBe('Todo enviado');
  });

  it('shows the error of a bad number at the field, which keeps the number', async () => {
    await consult('10456789O1');
    expect(text('error')).toContain('letra O');
    expect((see('document') as HTMLInputElement).value).toBe('10456789O1');
    expect(document.activeElement).toBe(see('document'));
  });

  it('gives notice when a late answer changes the verdict', async () => {
    backend.controls.server_ms = 5000;
    await consult(NEVER_SEEN);
    await pass(3000);
    expect(verdict()).toBe('NO_DATA');
    await pass(3000);
    expect(verdict()).toBe('ACTIVE');
    expect(text('notice')).toContain('antes decía SIN DATO, ahora dice ACTIVO');
  });

  it('clears the card after two minutes, with a countdown in the last', async () => {
    await consult(ACTIVE);
    await pass(58_000);
    expect(find('countdown')).toBeNull();
    await pass(5_000);
    expect(text('countdown')).toMatch(/^Se limpia en 5\d s$/);
    await pass(60_000);
    expect(find('card')).toBeNull();
    expect((see('document') as HTMLInputElement).value).toBe('');
  });

  it('takes the card away when the sede changes', async () => {
    await consult(ACTIVE);
    await press('F4');
    await click('branch-GYM-02');
    expect(location.hash).toBe('#/consulta');
    expect(find('card')).toBeNull();
  });

  it('changes the kind with the arrows and begins again with CC after Escape', async () => {
    await press('ArrowDown');
    expect((see('kind') as HTMLSelectElement).value).toBe('CE');
    await press('Escape');
    expect((see('kind') as HTMLSelectElement).value).toBe('CC');
  });
});

describe('the rest of the window', () => {
  it('goes everywhere by key, and back with Escape', async () => {
    await open('ana', 'GYM-01');
    await press('F6');
    expect(text('outbox-empty')).toContain('Todo enviado');
    await press('F7');
    expect(location.hash).toBe('#/reporte');
    expect(find('history-row')).not.toBeNull();
    await press('Escape');
    expect(location.hash).toBe('#/consulta');
  });

  it('asks before leaving with something unsent', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    await click('sign-out');
    expect(text('sign-out-explain')).toContain('Queda 1 registro por enviar');
    await click('sign-out-confirm');
    expect(find('username')).not.toBeNull();
  });

  it('keeps the work when the session ends, and asks for the password of the same person', async () => {
    await open('ana', 'GYM-01', { sign_in_needed: true });
    await consult(ACTIVE);
    expect(text('sign-in-needed')).toContain('Lo registrado está guardado');
    await click('sign-in-again');
    await write('password', 'convenios');
    document.querySelector<HTMLFormElement>('#sign-in-again')?.requestSubmit();
    await pass(300);
    expect(find('sign-in-needed')).toBeNull();
    expect(verdict()).toBe('ACTIVE');
  });

  it('lists a page of rows at a time, and counts them all', async () => {
    await open('ana', 'GYM-01', { history: 4000 });
    await press('F7');
    await click('preset-last_month');
    expect(document.querySelectorAll('[data-testid="history-row"]')).toHaveLength(200);
    expect(Number(see('history-total').dataset['uses'])).toBeGreaterThan(300);
    await click('more');
    expect(document.querySelectorAll('[data-testid="history-row"]').length).toBeGreaterThan(300);
  });

  it('never shows a whole document in a list', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    await press('Escape');
    expect(document.body.textContent).not.toContain('678.901');
    for (const key of ['F6', 'F7']) {
      await press(key);
      expect(document.body.textContent).toContain('•••8901');
      expect(document.body.textContent).not.toMatch(/1\.?045\.?678\.?901/);
    }
  });

  it('changes the look and remembers it', async () => {
    await open();
    await click('theme-toggle');
    await click('theme-toggle');
    expect(document.documentElement.dataset['theme']).toBe('dark');
    expect(document.documentElement.classList.contains('dark')).toBe(true);
    expect(localStorage.getItem('hanna.theme')).toBe('dark');
  });
});
