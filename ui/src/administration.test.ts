// The window of an entity's administrator, over the invented desk: asking for CONVENIOS, and the people of the entity.
import { describe, expect, it } from 'vitest';
import { LOOK_MS } from './screens/aplicaciones/applications.svelte';
import { REST_MS } from './screens/entidad/users.svelte';
import { backend, click, find, open, pass, press, see, text, visit, write } from './testing/window';

const NADIA = 'nadia@gym-nuevo.co';
const PDF = new File(['%PDF-1.7 documento'], 'cámara de comercio.pdf', { type: 'application/pdf' });

const state = () => see('tile-CONVENIOS').dataset['state'];

/** As the system's dialog leaves it. */
async function choose(...files: File[]): Promise<void> {
  const input = see('file-input') as HTMLInputElement;
  Object.defineProperty(input, 'files', { value: files, configurable: true });
  input.dispatchEvent(new Event('change', { bubbles: true }));
  await pass(300);
}

/** Fills the form in, from its first step to the review. */
async function fill(): Promise<void> {
  await click('request-it');
  await write('contact_email', NADIA);
  await write('contact_phone', '300 123 45 67');
  await click('next');
  await write('benefit', '20 % de descuento en la mensualidad');
  await click('next');
  await write('branch-0-name', 'Sede Norte');
  await write('branch-0-city', 'Barranquilla');
  await write('branch-0-address', 'Carrera 53 # 76-100');
  await click('next');
  await choose(PDF);
  await click('next');
}

describe('asking for CONVENIOS', () => {
  it('goes from the tile to the caja and back: rejected, put right, approved', async () => {
    await open(NADIA);
    expect(document.activeElement).toBe(see('request-it'));
    await fill();
    expect(text('request-content')).toContain('cámara de comercio.pdf');
    await click('next');
    await click('to-applications');
    expect([location.hash, state()]).toEqual(['#/aplicaciones', 'SUBMITTED']);
    expect(text('request')).toContain('Enviada a la caja por Nadia Núñez');

    backend.decide('REJECTED', 'El certificado está vencido.');
    await click('reload');
    expect(text('tile-CONVENIOS')).toContain('El certificado está vencido.');
    await click('request-it');
    expect(text('rejected')).toContain('El certificado está vencido.');
    expect(text('request-content')).toContain('20 % de descuento');
    await click('change-file');
    await choose(PDF);
    await click('next');
    await click('next');
    await click('to-applications');
    expect(text('request')).toContain('Corregida y enviada de nuevo');

    // The answer comes while one looks at it: nobody presses anything.
    backend.decide('APPROVED');
    await pass(LOOK_MS);
    expect(text('approved-now')).toContain('Ya puede acceder');
    expect(find('acceder')).not.toBeNull();
  });

  it('keeps what is typed when one looks elsewhere', async () => {
    await open(NADIA);
    await click('request-it');
    await write('contact_phone', '300 123 45 67');
    await press('Escape');
    expect(location.hash).toBe('#/aplicaciones');
    await click('request-it');
    expect(text('progress')).toContain('1 de 5');
    expect((see('contact_phone') as HTMLInputElement).value).toBe('300 123 45 67');
  });

  it('adds sedes and takes them away, with the focus where one goes on', async () => {
    await open(NADIA);
    await click('request-it');
    await write('contact_email', NADIA);
    await write('contact_phone', '3001234567');
    await click('next');
    await write('benefit', 'la mitad');
    await click('next');
    expect(find('remove-branch')).toBeNull();
    await click('add-branch');
    expect(document.activeElement).toBe(see('branch-1-name'));
    await write('branch-0-name', 'Sede Norte');
    await click('remove-branch');
    expect(document.activeElement).toBe(see('branch-0-name'));
    expect(document.querySelectorAll('[data-testid="branch"]')).toHaveLength(1);
  });

  it('says what is wrong with a file that is dropped, and shows the one that is taken', async () => {
    await open(NADIA);
    await fill();
    await click('change-file');
    const drop = async (...files: File[]) => {
      const event = new Event('drop', { bubbles: true, cancelable: true });
      Object.assign(event, { dataTransfer: { files } });
      see('drop').dispatchEvent(event);
      await pass(300);
    };
    await drop(new File(['GIF89a'], 'foto.gif'));
    expect(text('error')).toContain('no es un PDF');
    await drop(PDF, PDF);
    expect(text('error')).toContain('un solo archivo');
    await drop(new File(['%PDF-1.7'], 'propuesta.pdf'));
    expect(find('error')).toBeNull();
    expect(text('chosen-file')).toContain('propuesta.pdf');
  });

  it('tells how far the file is, and loses nothing without a connection', async () => {
    await open(NADIA, undefined, { server_ms: 2000 });
    await fill();
    backend.set_online(false);
    await click('next');
    expect(text('error')).toContain('conexión');
    backend.set_online(true);
    await click('next');
    expect((see('upload') as HTMLProgressElement).value).toBeGreaterThan(0);
    await pass(2000);
    expect(find('to-applications')).not.toBeNull();
  });

  it('is for administrators: others see the tile and what it waits for', async () => {
    await open('ana', 'GYM-01');
    for (const hash of ['#/solicitud', '#/usuarios']) {
      await visit(hash);
      expect(location.hash).toBe('#/aplicaciones');
    }
    expect(find('users')).toBeNull();
  });
});

describe('the people of the entity', () => {
  const row = (username: string) => {
    const found = document.querySelector<HTMLElement>(`[data-testid="user"][data-username="${username}"]`);
    if (!found) throw new Error(`${username} is not in the list`);
    return found;
  };
  const manage = async (username: string) => {
    row(username).querySelector('button')?.click();
    await pass(300);
  };

  it('are found by name, whatever the accents', async () => {
    await open('carmen', 'GYM-01');
    await visit('#/aplicaciones');
    await click('users');
    expect(document.activeElement).toBe(see('user-search'));
    await write('user-search', 'alvaro');
    await pass(REST_MS + 300);
    expect(text('count')).toBe('1 usuario');
    await write('user-search', 'nadie así');
    await pass(REST_MS + 300);
    expect(text('users-none')).toContain('nadie así');
  });

  it('are suspended only when it is said twice, and let in again', async () => {
    await open('carmen', 'GYM-01');
    await visit('#/usuarios');
    await manage('yuranis@gymcaribe.co');
    await click('user-suspend');
    expect(document.activeElement).toBe(see('question-cancel'));
    await click('question-cancel');
    expect(row('yuranis@gymcaribe.co').dataset['state']).toBe('ACTIVE');
    await click('user-suspend');
    await click('question-confirm');
    expect(text('done')).toContain('quedó suspendido');
    expect(row('yuranis@gymcaribe.co').dataset['state']).toBe('SUSPENDED');
    await click('user-reactivate');
    await click('question-confirm');
    expect(row('yuranis@gymcaribe.co').dataset['state']).toBe('ACTIVE');
  });

  it('are invited with a name, an address and a role', async () => {
    await open('carmen', 'GYM-01');
    await visit('#/usuarios');
    await click('invite');
    await write('display_name', 'Delio Ustate');
    await write('email', 'keila@gymcaribe.co');
    await click('branches-all');
    await click('invite-send');
    expect(text('error')).toContain('ya tiene un usuario');
    await write('email', 'delio@gymcaribe.co');
    await click('invite-send');
    expect(text('invited')).toContain('delio@gymcaribe.co');
    expect(row('delio@gymcaribe.co').dataset['state']).toBe('INVITED');
    expect(row('delio@gymcaribe.co').textContent).toContain('Todas las sedes');
  });

  it('change roles and sedes, and an own row has nothing that locks one out', async () => {
    await open('carmen', 'GYM-01');
    await visit('#/usuarios');
    await manage('carmen');
    expect(find('user-suspend')).toBeNull();
    see('roles-ENTITY_ADMIN').click();
    await click('user-save');
    expect(text('done')).toBe('Cambios guardados.');
  });
});
