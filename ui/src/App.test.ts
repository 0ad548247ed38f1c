// The window as an operator uses it, over the invented desk: what the screens must never get wrong.
import { beforeEach, describe, expect, it } from 'vitest';
import { PASSWORD } from './backend/mock/people';
import { backend, click, close, find, open, pass, press, see, text, write } from './testing/window';

const ACTIVE = '1045678901';
const USED_TODAY = '1234567890';
const ARREARS = '22543312';
const LONG_NAMES = '1143000111';
const NEVER_SEEN = '1045678902';

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
    close();
    await open('pedro');
    expect(find('acceder')).toBeNull();
    expect(text('tile-CONVENIOS')).toContain('En revisión');
  });

  it('opens on Consulta after a restart', async () => {
    await open('ana', 'GYM-01');
    expect(location.hash).toBe('#/consulta');
  });

  it('says so when the desk cannot open, and tries again', async () => {
    await open(undefined, undefined, { fail: { start: 'STORE_WRONG_KEY' } });
    expect(text('error')).toContain('Avise a soporte');
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

describe('taking a use back', () => {
  const choose = async (reason: string) => {
    see(`void-reason-${reason}`).focus();
    see(`void-reason-${reason}`).click();
    await pass(0);
  };
  const confirm = async () => {
    document.querySelector<HTMLFormElement>('#void-use')?.requestSubmit();
    await pass(300);
  };
  const escape = async () => {
    document.querySelector('dialog')?.dispatchEvent(new Event('cancel', { cancelable: true }));
    await pass(0);
  };

  async function report_and_begin(): Promise<void> {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    await press('F2');
    await click('void-use');
  }

  it('names the use with the person masked, and does nothing without a reason', async () => {
    await report_and_begin();
    expect(text('void-subject')).toBe('Documento •••8901 Hora del uso 22/11/2026, 10:32 Sede Sede Norte');
    await confirm();
    expect(text('error')).toBe('Elija el motivo.');
    expect(document.activeElement).toBe(see('void-reason-WRONG_PERSON'));
    await choose('OTHER');
    await confirm();
    expect(text('error')).toBe('Escriba el motivo.');
    expect(document.activeElement).toBe(see('void-text'));
    await write('void-text', 'x'.repeat(201));
    expect(text('error')).toContain('use 200 letras o menos');
    expect(see('reported').dataset['voided']).toBe('false');
  });

  it('says so on the card, and the next number can be typed', async () => {
    await report_and_begin();
    await choose('REPORTED_TWICE');
    await confirm();
    expect(text('reported')).toMatch(/^Uso anulado a las 10:3\d$/);
    expect(find('void-use')).toBeNull();
    expect(text('last-lookups')).not.toContain('usado');
    expect(document.activeElement).toBe(see('document'));
    await pass(2000);
    expect(text('reported')).toContain('Uso anulado');
    expect(text('status-outbox')).toBe('Todo enviado');
  });

  it('leaves everything as it was with Escape', async () => {
    await report_and_begin();
    await choose('NOT_USED');
    await escape();
    expect(find('void-subject')).toBeNull();
    expect(text('reported')).toContain('Uso guardado');
    expect(document.activeElement).toBe(see('document'));
  });

  it('says in the dialog why the desk does not allow it', async () => {
    await report_and_begin();
    backend.controls.fail = { void_use: 'VOID_NOT_ALLOWED' };
    await choose('NOT_USED');
    await confirm();
    expect(text('error')).toContain('ya no se puede anular');
    expect(find('void-confirm')).not.toBeNull();
  });

  it('lets the card go after its two minutes, and the dialog stay: it names nobody', async () => {
    await report_and_begin();
    await pass(121_000);
    expect(find('card')).toBeNull();
    await choose('NOT_USED');
    await confirm();
    expect(find('void-subject')).toBeNull();
    expect(text('status-outbox')).toBe('1 por enviar');
  });

  it('stands again when the void was refused and is given up', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    await press('F2');
    await pass(2000);
    backend.controls.online = false;
    await click('void-use');
    await choose('NOT_USED');
    await confirm();
    backend.refuse_items('VOID_NOT_ALLOWED');
    await pass(0);
    expect(text('reported')).toContain('El uso sigue contado');
    const waiting = backend.outbox();
    await pass(300);
    void backend.withdraw_item((await waiting).items[0]?.id ?? '', 'era correcto');
    await pass(300);
    expect(text('reported')).toBe('Uso guardado · enviado');
    expect(find('void-use')).not.toBeNull();
  });

  it('is not offered for what the server refused: that is no use', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    backend.refuse_items('STATEMENT_NOT_VALID');
    await pass(0);
    expect(text('reported')).toContain('requiere atención');
    expect(find('void-use')).toBeNull();
  });

  it('is done in the report too: use and void stand together, and the totals leave the use out', async () => {
    await open('ana', 'GYM-01', { history: 0 });
    await consult(ACTIVE);
    await press('F2');
    await press('F7');
    expect(see('history-total').dataset['uses']).toBe('1');
    await click('void-row');
    await choose('OTHER');
    await write('void-text', 'Llegó tarde');
    await confirm();
    expect(see('history-row').dataset['state']).toBe('voided');
    expect(text('history-row')).toContain('Anulado');
    expect(text('history-void')).toContain('por Ana Rodríguez · Otro motivo: «Llegó tarde»');
    expect(document.activeElement).toBe(see('history-void').querySelector('td'));
    expect(see('history-total').dataset['uses']).toBe('0');
    expect(text('left-out')).toBe('No se suman: 1 anulado.');
    expect(find('void-row')).toBeNull();
    await press('Escape');
    expect(text('reported')).toContain('Uso anulado');
  });
});

describe('what waits', () => {
  it('is not all sent while the lookups of the copy wait, and needs nobody', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    expect(text('status-outbox')).toBe('1 consulta por enviar');
    await press('F6');
    expect(find('outbox-empty')).toBeNull();
    expect(text('outbox-lookups')).toContain('Falta enviar 1 consulta sin conexión');
    backend.set_online(true);
    await pass(300);
    expect(text('status-outbox')).toBe('Enviando registros de consulta');
    await pass(2000);
    expect(text('status-outbox')).toBe('Todo enviado');
    expect(find('outbox-empty')).not.toBeNull();
  });

  it('is kept by a program that is too old, which says which version to install', async () => {
    await open('ana', 'GYM-01');
    expect(find('too-old')).toBeNull();
    backend.set_minimum('0.2.0');
    await consult(ACTIVE);
    await press('F2');
    expect(text('too-old')).toBe(
      'Esta versión del programa ya no sirve: instale la 0.2.0 o una posterior. ' +
        'Lo que está por enviar se conserva y se enviará después.',
    );
    expect(see('status-connection').title).toBe(text('too-old'));
    expect(text('cause')).toContain('Esta versión del programa ya no sirve');
    expect(text('status-outbox')).toBe('1 por enviar');
    backend.set_minimum(null);
    await pass(3000);
    expect(find('too-old')).toBeNull();
    expect(text('status-outbox')).toBe('Todo enviado');
  });

  it('is retried all at once, or given up with a reason', async () => {
    await open('ana', 'GYM-01', { online: false });
    for (const number of [ACTIVE, LONG_NAMES]) {
      await consult(number);
      await press('F2');
    }
    backend.refuse_items('STATEMENT_NOT_VALID');
    await press('F6');
    expect(text('outbox-lookups')).toBe('y 2 consultas sin conexión por enviar');
    await click('withdraw-item');
    const give_up = async () => {
      document.querySelector<HTMLFormElement>('#withdraw')?.requestSubmit();
      await pass(300);
    };
    await give_up();
    expect(text('error')).toBe('Escriba el motivo.');
    await write('withdraw-why', 'La persona no vino');
    await give_up();
    expect(document.querySelectorAll('[data-testid="outbox-item"]')).toHaveLength(1);
    expect(find('retry-all')).toBeNull();
    expect(document.activeElement).toBe(document.querySelector('main h1'));
    await click('retry-item');
    expect(see('outbox-item').dataset['state']).toBe('queued');
  });

  it('shows voids beside uses', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    await click('void-use');
    (see('void-reason-NOT_USED') as HTMLInputElement).click();
    document.querySelector<HTMLFormElement>('#void-use')?.requestSubmit();
    await pass(300);
    await press('F6');
    const kinds = [...document.querySelectorAll<HTMLElement>('[data-testid="outbox-item"]')];
    expect(kinds.map(({ dataset }) => dataset['kind'])).toEqual(['usage_report', 'void']);
    backend.refuse_items(null);
    await pass(300);
    await click('retry-all');
    expect(text('status-outbox')).toBe('2 por enviar');
  });
});

describe('coming back after a time without the server', () => {
  async function come_back(): Promise<void> {
    await open('ana', 'GYM-01', { online: false });
    for (const again of [false, true]) {
      await consult(ACTIVE);
      await press('F2');
      if (again) await press('F2', { shiftKey: true });
      await press('Escape');
    }
    backend.set_online(true);
    await pass(2000);
  }

  it('says how the delivery went, in passing, and whole in Por enviar', async () => {
    await come_back();
    expect(text('synced')).toBe('Se entregaron 2 registros que esperaban: 1 aceptado, 1 con observación.');
    await click('synced-see');
    expect(location.hash).toBe('#/por-enviar');
    expect(find('synced')).toBeNull();
    expect(see('last-sync').dataset).toMatchObject({ accepted: '1', noted: '1', refused: '0' });
    expect(text('last-sync-group')).toBe('UsoSede NorteB110');
    expect(text('last-sync-noted')).toContain('ya había usado el beneficio');
    await press('Escape');
    expect(find('synced')).toBeNull();
  });

  it('says nothing in passing where it stands in full', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    await press('F6');
    backend.set_online(true);
    await pass(2000);
    expect(find('synced')).toBeNull();
    expect(see('last-sync').dataset['accepted']).toBe('1');
  });

  it('does not push the card of somebody at the counter about', async () => {
    await come_back();
    await consult(ACTIVE);
    expect(find('synced')).toBeNull();
    await press('Escape');
    expect(find('synced')).not.toBeNull();
  });

  it('says nothing of what did not have to wait', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    await press('F2');
    await pass(2000);
    expect(find('synced')).toBeNull();
    await press('F6');
    expect(find('last-sync')).toBeNull();
  });

  it('asks the server at once when the network changes, and on demand', async () => {
    await open('ana', 'GYM-01', { online: false });
    await consult(ACTIVE);
    await press('F2');
    backend.controls.online = true;
    window.dispatchEvent(new Event('online'));
    await pass(1000);
    expect(text('status-outbox')).toBe('Todo enviado');
    expect(find('retry-connection')).toBeNull();
    backend.set_online(false);
    await pass(0);
    backend.controls.online = true;
    await click('retry-connection');
    await pass(1000);
    expect(text('status-connection')).toBe('En línea');
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

  it('asks for no password while there is nobody to give it to', async () => {
    await open('ana', 'GYM-01', { sign_in_needed: true, online: false });
    expect(find('sign-in-needed')).toBeNull();
    backend.set_online(true);
    await pass(0);
    expect(find('sign-in-needed')).not.toBeNull();
  });

  // Hundreds of rows in an invented browser take seconds on a busy machine.
  it('lists a page of rows at a time, and counts them all', { timeout: 30_000 }, async () => {
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

describe('a desk that was left alone', () => {
  it('is locked by F9, answers to no key, and opens to the password of its operator', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    await press('F9');
    expect(find('verdict')).toBeNull();
    expect(find('nav-reporte')).toBeNull();
    await press('F6');
    expect(find('locked')).not.toBeNull();
    expect(document.activeElement).toBe(see('password'));
    await write('password', 'no es');
    await press('Enter');
    expect(text('error')).toContain('contraseña');
    await write('password', PASSWORD);
    await press('Enter');
    expect(find('locked')).toBeNull();
    expect(see('document')).not.toBeNull();
    expect(find('verdict')).toBeNull();
  });

  it('is locked by itself after ten minutes without a touch, not before', async () => {
    await open('ana', 'GYM-01');
    await pass(9 * 60_000);
    await press('Shift');
    await pass(9 * 60_000);
    expect(find('locked')).toBeNull();
    await pass(60_000 + 1_000);
    expect(find('locked')).not.toBeNull();
  });

  it('lets another operator in', async () => {
    await open('ana', 'GYM-01');
    await click('lock');
    await click('other-operator');
    await write('username', 'luis');
    await write('password', PASSWORD);
    await press('Enter');
    expect(find('locked')).toBeNull();
    expect(text('operator')).toContain('Luis');
  });
});

describe('the end', () => {
  it('is asked about when something waits', async () => {
    await open('ana', 'GYM-01', { online: false });
    backend.ask_to_close();
    await pass(300);
    expect(find('closing-explain')).not.toBeNull();
    await click('closing-stay');
    expect([find('closing-explain'), backend.closed]).toEqual([null, false]);
    backend.ask_to_close();
    await pass(300);
    await click('closing-confirm');
    expect(backend.closed).toBe(true);
  });

  it('of a revoked PC is said at the way in', async () => {
    await open('ana', 'GYM-01');
    backend.revoke();
    await pass(300);
    expect(text('revoked')).toContain('desactivó');
    expect(find('username')).not.toBeNull();
  });

  it('of a revoked PC can leave it in a file that only the caja opens', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    backend.set_online(false);
    await press('F2');
    backend.revoke();
    await pass(300);
    window.dispatchEvent(new Event('focus'));
    await pass(300);
    expect(text('unsent')).toContain('1 registro por enviar');
    await click('export-outbox');
    expect(text('exported')).toContain('Se exportó 1 registro en /media/memoria/');
    expect(text('exported')).toContain('Entregue el archivo a la caja');
  });
});

describe('what cannot be sent', () => {
  it('is exported from the list, which goes on showing it', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    backend.set_online(false);
    await press('F2');
    await press('F6');
    expect(find('exported')).toBeNull();
    await click('export-outbox');
    expect(text('exported')).toContain('Aquí todo sigue guardado');
    expect(find('outbox-item')).not.toBeNull();
  });

  it('says why it could not be exported, and keeps it', async () => {
    await open('ana', 'GYM-01');
    await consult(ACTIVE);
    backend.set_online(false);
    await press('F2');
    await press('F6');
    backend.controls.fail = { export_outbox: 'DISK_FULL' };
    await click('export-outbox');
    expect(text('export-error')).toContain('lleno');
    expect(see('export-outbox').getAttribute('aria-disabled')).toBeNull();
    expect(find('outbox-item')).not.toBeNull();
  });

  it('is not offered when there is nothing', async () => {
    await open('ana', 'GYM-01');
    await press('F6');
    expect(find('outbox-empty')).not.toBeNull();
    expect(find('export-outbox')).toBeNull();
  });
});

describe('an outbox that was set aside', () => {
  it('is brought back with one press, and told with what could not be read', async () => {
    await open('ana', 'GYM-01', { notices: ['OUTBOX_SET_ASIDE'] });
    expect(text('notice-OUTBOX_SET_ASIDE')).toContain('apartaron intactos');
    await click('recover');
    expect(text('recovered')).toContain('Se recuperaron 3 registros.');
    expect(text('recovered')).toContain('dañada');
    expect(find('notice-OUTBOX_SET_ASIDE')).toBeNull();
  });

  it('stays offered when nothing of it can be read, with the reason', async () => {
    await open('ana', 'GYM-01', { notices: ['OUTBOX_SET_ASIDE'] });
    backend.controls.fail = { recover_set_aside: 'SET_ASIDE_UNREADABLE' };
    await click('recover');
    expect(text('notice-OUTBOX_SET_ASIDE')).toContain('no se pudo leer ningún registro');
    expect(find('recovered')).toBeNull();
    expect(find('recover')).not.toBeNull();
  });
});
