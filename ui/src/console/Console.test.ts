// The console as somebody of the caja uses it, over the invented server: what its screens must never get wrong.
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settle } from '../testing/hand';
import { type Controls, MockApi, OTP, PASSWORD } from './api/mock';
import { ME } from './api/mock/data';
import { newId } from './api/tokens';
import Page from './Page.svelte';

let stop: (() => void) | undefined;
let api: MockApi;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T15:32:00Z') });
});

afterEach(() => {
  stop?.();
  stop = undefined;
});

async function open(hash = '', controls: Partial<Controls> = {}, signed_in = true): Promise<void> {
  location.hash = hash;
  api = new MockApi(controls);
  if (signed_in) api.resume(ME.operator.username);
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

async function write(testid: string, value: string): Promise<void> {
  const input = see(testid) as HTMLInputElement;
  input.focus();
  input.value = value;
  input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  await pass(0);
}

async function click(testid: string, ms = 500): Promise<void> {
  see(testid).click();
  await pass(ms);
}

async function go(hash: string): Promise<void> {
  location.hash = hash;
  window.dispatchEvent(new HashChangeEvent('hashchange'));
  await pass(500);
}

async function sign_in(otp?: string): Promise<void> {
  await write('username', ME.operator.username);
  await write('password', PASSWORD);
  await click('sign-in');
  if (otp) {
    await write('otp', otp);
    await click('sign-in');
  }
}

describe('signing in', () => {
  it('asks for the code only after the right password, and comes to where the address says', async () => {
    await open('#/llaves', {}, false);
    expect(document.activeElement).toBe(see('username'));
    await sign_in();
    expect(document.activeElement).toBe(see('otp'));
    await write('otp', '654321');
    await click('sign-in');
    expect(text('error')).toContain('no es el código');
    await write('otp', OTP);
    await click('sign-in');
    expect(all('key')).toHaveLength(3);
  });

  it('is refused to people of an entity, and leaves no session behind', async () => {
    await open('', {}, false);
    await write('username', 'ana@gymcaribe.co');
    await write('password', PASSWORD);
    await click('sign-in');
    expect(text('error')).toContain('es de la caja');
    expect(api.username).toBeNull();
  });

  it('leaves no session behind either when it is not known whose it is', async () => {
    await open('', { fail: { me: 'UNREACHABLE' } }, false);
    await sign_in(OTP);
    expect(text('error')).toContain('No hay conexión');
    expect(api.username).toBeNull();
  });

  it('begins with the second factor where there is none, and shows the recovery codes once', async () => {
    await open('', { to_set_up: true }, false);
    await sign_in();
    expect(text('secret')).toBe('JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP');
    expect(all('nav-inicio')).toEqual([]);
    await write('otp', OTP);
    await click('confirm-factor');
    expect(see('recovery-codes').children).toHaveLength(10);
    await click('go-on');
    expect(text('error')).toContain('guarde los códigos');
    await click('kept');
    await click('go-on');
    expect(text('who')).toBe('Clara Coordinadora');
    expect(all('recovery-codes')).toEqual([]);
  });

  it('says what happened when the server cannot be reached, and tries again', async () => {
    await open('', { fail: { me: 'UNREACHABLE' } });
    expect(text('error')).toContain('No hay conexión');
    api.controls.fail = {};
    await click('retry');
    expect(text('who')).toBe('Clara Coordinadora');
  });
});

describe('a session that ends', () => {
  it('is begun again over the page, which keeps what was typed and asks anew', async () => {
    await open('#/entidades');
    await click('create');
    await write('entity-name', 'GIMNASIO A MEDIO ESCRIBIR');
    api.end_session();
    await pass(0);
    await write('again-password', PASSWORD);
    await write('again-otp', OTP);
    const before = api.asked.filter((call) => call === 'entities').length;
    await click('again-sign-in');
    expect(all('again')).toEqual([]);
    expect((see('entity-name') as HTMLInputElement).value).toBe('GIMNASIO A MEDIO ESCRIBIR');
    expect(api.asked.filter((call) => call === 'entities').length).toBe(before + 1);
  });

  it('is given back when nobody touches the page, and what it shows is covered', async () => {
    await open('#/llaves');
    await pass(11 * 60_000);
    expect(api.asked).toContain('leave');
    expect(api.username).toBeNull();
    expect(text('again')).toContain(ME.operator.username);
  });

  it('leaves nothing on the page when somebody signs out', async () => {
    await open('#/usuarios');
    await click('sign-out');
    expect(api.username).toBeNull();
    expect(all('user')).toEqual([]);
    see('username');
  });

  it('says nothing to the next person of what was answered late', async () => {
    await open('#/registros', { latency_ms: 1000 });
    await pass(3000);
    await click('approve');
    await click('confirm', 0);
    api.controls.latency_ms = 60;
    await click('sign-out');
    await sign_in(OTP);
    await pass(3000);
    expect(text('who')).toBe('Clara Coordinadora');
    expect(all('said')).toEqual([]);
  });

  it('is either left or begun again, not both', async () => {
    await open('#/llaves');
    api.end_session();
    await pass(0);
    await write('again-password', PASSWORD);
    await write('again-otp', OTP);
    await click('again-sign-in', 0);
    await click('again-leave');
    expect(text('who')).toBe('Clara Coordinadora');
    expect(all('key')).toHaveLength(3);
  });
});

describe('a list', () => {
  it('comes in pages, and is what the address asks for', async () => {
    await open('#/usuarios');
    expect(all('user')).toHaveLength(50);
    await click('more');
    expect(all('user')).toHaveLength(78);
    await go('#/usuarios?rol=CAJA_ADMIN');
    expect((see('role-filter') as HTMLSelectElement).value).toBe('CAJA_ADMIN');
    expect(all('user')).toHaveLength(2);
    await go('#/usuarios');
    expect(all('user')).toHaveLength(50);
    expect((see('role-filter') as HTMLSelectElement).value).toBe('');
  });

  it('is searched when the typing pauses, and says so when nothing was found', async () => {
    await open('#/entidades');
    await write('search', 'xyz');
    await pass(100);
    expect(location.hash).toBe('#/entidades');
    await pass(700);
    expect(location.hash).toBe('#/entidades?q=xyz');
    see('none-found');
    await click('unfilter');
    expect(all('entity')).toHaveLength(10);
    expect((see('search') as HTMLInputElement).value).toBe('');
  });

  it('drops an answer that is overtaken by the next question', async () => {
    await open('#/entidades');
    api.controls.latency_ms = 5000;
    await write('search', 'gym');
    await pass(1000);
    api.controls.latency_ms = 10;
    await write('search', 'teatro');
    await pass(10_000);
    expect(all('open-entity').map((link) => link.textContent)).toEqual(['TEATRO AMIRA']);
  });

  it('keeps what it shows when asking again fails, and offers to try again', async () => {
    await open('#/equipos');
    api.controls.fail = { devices: 'UNAVAILABLE' };
    await write('search', 'recepcion');
    await pass(700);
    expect(text('error')).toContain('Intente otra vez');
    expect(all('device').length).toBeGreaterThan(0);
    api.controls.fail = {};
    await click('retry');
    expect(all('error')).toEqual([]);
  });
});

describe('a registration', () => {
  it('is approved once, after a question', async () => {
    await open('#/registros');
    expect(all('registration')).toHaveLength(4);
    await click('approve');
    expect(api.asked).not.toContain('approve_registration');
    see('confirm').click();
    see('confirm').click();
    await pass(500);
    expect(api.asked.filter((call) => call === 'approve_registration')).toHaveLength(1);
    expect(all('registration')).toHaveLength(3);
    expect(text('said')).toContain('Sofía Núñez Altamar ya puede ingresar');
  });

  it('is not rejected without a reason', async () => {
    await open('#/registros');
    await click('reject');
    await click('confirm');
    expect(text('error')).toContain('motivo');
    expect(api.asked).not.toContain('reject_registration');
    await write('reason', 'El NIT no es de esa entidad.');
    await click('confirm');
    expect(all('registration')).toHaveLength(3);
  });

  it('that somebody else decided about says so, and stays', async () => {
    await open('#/registros', { fail: { approve_registration: 'NOT_PENDING' } });
    await click('approve');
    await click('confirm');
    expect(text('error')).toContain('ya decidió');
    expect(all('confirm')).toHaveLength(1);
  });
});

describe('a request', () => {
  const FIRST = '#/solicitudes/018f3a2b-0005-7000-8000-000000000000';

  it('is approved with the usual terms, which can be changed', async () => {
    await open(FIRST);
    await click('approve');
    expect((see('terms-first') as HTMLInputElement).value).toBe('22/11/2026');
    expect((see('terms-last') as HTMLInputElement).value).toBe('21/11/2027');
    await write('terms-last', '31/12/2026');
    await write('branch-code-0', 'gym-01');
    await click('confirm');
    expect(text('error')).toContain('Ya hay una sede');
    await write('branch-code-0', 'alm-01');
    await click('confirm');
    expect(all('approve')).toEqual([]);
    expect(text('history')).toContain('Aprobada');
  });

  it('is not approved with terms that cannot hold', async () => {
    await open(FIRST);
    await click('approve');
    await write('terms-last', '31/02/2026');
    await click('confirm');
    expect(api.asked).not.toContain('approve_request');
    expect(text('error')).toContain('no existe');
  });

  it('is taken into review', async () => {
    await open(FIRST);
    await click('review');
    expect(text('history')).toContain('En revisión');
    expect(all('review')).toEqual([]);
  });
});

describe('a device', () => {
  it('is revoked after a question that says what it still holds', async () => {
    await open('#/equipos?ver=por-mirar');
    const [first] = all('device');
    expect(first?.textContent).toContain('184 por enviar');
    await click('revoke');
    expect(document.querySelector('dialog')?.textContent).toContain('le faltan 184 registros');
    await click('confirm');
    await go('#/equipos?ver=revocados');
    expect(all('restore').length).toBe(2);
  });
});

describe('an import', () => {
  async function choose(name: string): Promise<void> {
    const input = see('import-file') as HTMLInputElement;
    const file = new File(['documento;tarifa\n1;B\n'], name, { type: 'text/csv' });
    Object.defineProperty(input, 'files', { value: [file], configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    await pass(0);
  }

  it('is tried first, goes on while one looks elsewhere, and is then done for good after a question', async () => {
    await open('#/afiliados');
    await choose('afiliados.csv');
    await click('send', 1500);
    see('running');
    await go('#/llaves');
    await pass(10_000);
    await go('#/afiliados');
    expect(text('import-outcome')).toContain('Esto cambiaría');
    await click('import-now');
    expect(document.querySelector('dialog')?.textContent).toContain('se actualizan');
    await click('confirm', 10_000);
    expect(text('import-outcome')).toContain('Esto cambió');
    expect(text('added')).toBe('1.200');
  });

  it('with errors shows the lines', async () => {
    await open('#/afiliados');
    await choose('afiliados-mal.csv');
    await click('send', 10_000);
    expect(text('import-outcome')).toContain('no cambió nada');
    expect(all('rejected-line')).toHaveLength(3);
  });

  it('of a file that was changed since it was chosen asks to choose it again', async () => {
    await open('#/afiliados');
    const input = see('import-file') as HTMLInputElement;
    const gone = { arrayBuffer: () => Promise.reject(new DOMException('changed', 'NotReadableError')) };
    const file = Object.assign(new File(['documento;tarifa'], 'afiliados.csv'), { slice: () => gone });
    Object.defineProperty(input, 'files', { value: [file], configurable: true });
    input.dispatchEvent(new Event('change', { bubbles: true }));
    await pass(0);
    await click('send', 1500);
    expect(document.body.textContent).toContain('El archivo cambió desde que lo eligió');
    expect(all('chosen-file')).toHaveLength(0);
    expect(api.asked).not.toContain('begin_import');
  });

  it('is cancelled while it is sent, and while it is read', async () => {
    await open('#/afiliados', { latency_ms: 1000 });
    await pass(3000);
    await choose('afiliados.csv');
    await click('send', 1500);
    see('sending');
    await click('cancel-import', 3000);
    expect(all('past-import')).toHaveLength(5);
    await choose('afiliados.csv');
    await click('send', 6000);
    await click('cancel-import', 6000);
    expect(text('import-outcome')).toContain('se canceló');
  });

  it('of a page of before is followed', async () => {
    await open('#/afiliados');
    await choose('afiliados.csv');
    await click('send', 1500);
    stop?.();
    const page = mount(Page, { target: document.body, props: { api } });
    stop = () => void unmount(page);
    await pass(1500);
    see('running');
    await pass(10_000);
    // Which file that was, this page does not know.
    expect(all('import-now')).toHaveLength(0);
    see('import-outcome');
  });

  it('is nobody else’s: who signs in next finds neither the file nor what came of it', async () => {
    await open('#/afiliados');
    await choose('afiliados.csv');
    await click('send', 10_000);
    see('import-now');
    await click('sign-out');
    await sign_in(OTP);
    await go('#/afiliados');
    expect(all('past-import')).toHaveLength(6);
    expect(all('import-outcome')).toEqual([]);
    expect(all('chosen-file')).toEqual([]);
  });

  it('stays when the same person signs in again, and goes with them when it is somebody else', async () => {
    const again = async () => {
      api.end_session();
      await pass(0);
      await write('again-password', PASSWORD);
      await write('again-otp', OTP);
      await click('again-sign-in', 1000);
    };
    await open('#/afiliados');
    await choose('afiliados.csv');
    await click('send', 10_000);
    await again();
    see('import-now');
    expect(text('chosen-file')).toBe('afiliados.csv');
    const operator = { ...ME.operator, id: newId(), display_name: 'Iván Interventor' };
    api.me = () => Promise.resolve({ ...ME, operator });
    await again();
    expect(text('who')).toBe('Iván Interventor');
    expect(location.hash).toBe('#/inicio');
    await go('#/afiliados');
    expect(all('past-import')).toHaveLength(6);
    expect(all('import-outcome')).toEqual([]);
    expect(all('chosen-file')).toEqual([]);
  });

  it('is not sent on when its administrator signs out, nor asked about', async () => {
    await open('#/afiliados', { latency_ms: 1000 });
    await pass(3000);
    await choose('afiliados.csv');
    await click('send', 1500);
    see('sending');
    await click('sign-out', 10_000);
    expect(api.asked).not.toContain('import');
    await sign_in();
    await pass(1000);
    await write('otp', OTP);
    await click('sign-in', 3000);
    await go('#/afiliados');
    await pass(3000);
    expect(all('past-import')).toHaveLength(5);
    await choose('afiliados.csv');
    await click('send', 8000);
    see('running');
    await click('sign-out', 0);
    const asked = api.asked.length;
    await pass(10_000);
    expect(api.asked.slice(asked)).toEqual([]);
  });

  it('wants a file, and one that is not empty', async () => {
    await open('#/afiliados');
    await click('send');
    expect(text('error')).toContain('Elija el archivo');
  });
});

describe('the audit', () => {
  it('never puts the document into the address', async () => {
    await open('#/auditoria');
    await write('audit-number', '1.045.678.901');
    await click('audit-ask');
    expect(all('lookup')).toHaveLength(50);
    await click('more');
    expect(all('lookup')).toHaveLength(64);
    expect(location.href).not.toContain('1045678901');
    expect(text('audit-accesses')).toContain('Búsqueda');
  });

  it('asks nothing without a purpose, or with a letter for a zero', async () => {
    await open('#/auditoria');
    await write('audit-purpose', ' ');
    await write('audit-number', '1O45678901');
    await click('audit-ask');
    expect(api.asked).not.toContain('audit_search');
    expect(all('error')).toHaveLength(2);
  });

  it('says when the record was changed', async () => {
    await open('#/auditoria', { tampered: true });
    await click('verify');
    expect(text('chain-bad')).toContain('2 cosas');
    expect(see('findings').children).toHaveLength(2);
  });
});

describe('an account', () => {
  it('is suspended after a question, but never the own one', async () => {
    await open('#/usuarios?rol=CAJA_ADMIN');
    await click('change-user');
    expect(all('suspend')).toEqual([]);
    await click('cancel');
    await go('#/usuarios?rol=OPERATOR&estado=ACTIVE');
    await click('change-user');
    await click('suspend');
    await click('confirm');
    expect(text('said')).toContain('quedó suspendido');
  });

  it('is invited for an entity with its branches, or for the caja', async () => {
    await open('#/usuarios');
    await click('invite');
    await click('confirm');
    expect(api.asked).not.toContain('invite');
    await write('invite-name', 'Nueva Operadora');
    await write('invite-email', 'nueva@gymcaribe.co');
    await click('invite-entity-018f3a2b-0001-7000-8000-000000000000');
    expect(see('invite-branches').querySelectorAll('input')).toHaveLength(2);
    await click('confirm');
    expect(text('said')).toContain('nueva@gymcaribe.co');
  });
});

it('an entity gets a branch and an agreement, and a branch is closed', async () => {
  await open('#/entidades/018f3a2b-0001-7000-8000-000000000003');
  expect(all('add-agreement')).toEqual([]);
  await click('add-branch');
  await write('branch-name', 'Sede Norte');
  await write('branch-city', 'Soledad');
  await click('confirm');
  expect(all('branch-row')).toHaveLength(1);
  await click('add-agreement');
  await click('confirm');
  expect(all('agreement')).toHaveLength(1);
  await click('close-branch');
  await click('confirm');
  expect(text('branches')).toContain('Cerrada');
});

it('a key is rotated after a question', async () => {
  await open('#/llaves');
  await click('rotate');
  expect(api.asked).not.toContain('rotate_keys');
  await click('confirm');
  expect(all('key')).toHaveLength(4);
});

it('the first page says what waits, and where each part of it failed', async () => {
  await open('#/inicio', { fail: { devices: 'UNAVAILABLE' } });
  expect(text('waiting-registrations')).toContain('4 personas esperan');
  expect(text('waiting-requests')).toContain('2 solicitudes esperan');
  expect(see('waiting-devices').textContent).toContain('no puede responder');
  see('key-ends');
});
