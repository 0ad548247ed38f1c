import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Desk } from '../../app/desk.svelte';
import type { ApplicationDraft } from '../../bindings/ApplicationDraft';
import type { ApplicationForm } from '../../bindings/ApplicationForm';
import type { ApplicationRequest } from '../../bindings/ApplicationRequest';
import type { ChosenFile } from '../../bindings/ChosenFile';
import { Hand, settle } from '../../testing/hand';
import { Requesting } from './requesting.svelte';
import { benefitLeft, describeFile, fileProblem, firstOpen, formatSize, missing } from './solicitud';

const FORM: ApplicationForm = {
  contact_name: 'Nadia Núñez',
  contact_email: 'nadia@gym-nuevo.co',
  contact_phone: '300 123 45 67',
  benefit: '20 % de descuento',
  branches: [{ name: 'Sede Norte', city: 'Barranquilla', address: 'Carrera 53 # 76-100' }],
};
const FILE: ChosenFile = {
  id: 'a',
  file_name: 'cámara.pdf',
  media_type: 'application/pdf',
  size_bytes: 482_113,
};
const EMPTY: ApplicationForm = {
  contact_name: 'Nadia Núñez',
  contact_email: 'nadia@gym-nuevo.co',
  contact_phone: '',
  benefit: '',
  branches: [],
};
const FIRST: ApplicationDraft = { id: 'r', form: EMPTY, file: null, corrects: null };
const PDF = new File(['%PDF-1.7'], 'cámara.pdf', { type: 'application/pdf' });

describe('what is missing', () => {
  it('is said at the first empty field of the step', () => {
    expect(missing('contact', EMPTY, null)?.field).toBe('contact_phone');
    expect(missing('benefit', { ...FORM, benefit: ' ' }, null)?.field).toBe('benefit');
    const branches = [...FORM.branches, { name: 'Sede Sur', city: ' ', address: '' }];
    expect(missing('branches', { ...FORM, branches }, null)?.field).toBe('branch-1-city');
    expect(missing('file', FORM, null)?.field).toBe('file');
    expect(missing('review', FORM, null)).toBeNull();
  });

  it('is where one goes on', () => {
    expect(firstOpen(EMPTY, null)).toBe('contact');
    expect(firstOpen(FORM, null)).toBe('file');
    expect(firstOpen(FORM, FILE)).toBe('review');
  });
});

describe('a file', () => {
  it('is one, and no larger than the caja takes it', () => {
    expect(fileProblem([PDF])).toBeNull();
    expect(fileProblem([PDF, PDF])?.text).toContain('un solo archivo');
    const large = new File([new Uint8Array(5 * 1024 * 1024 + 1)], 'grande.pdf');
    expect(fileProblem([large])?.text).toContain('más de 5 MB');
    expect(fileProblem([new File([new Uint8Array(5 * 1024 * 1024)], 'justo.pdf')])).toBeNull();
  });

  it('is described for people', () => {
    expect(describeFile(FILE)).toBe('PDF · 471 KB');
    expect([formatSize(1), formatSize(1_400_000)]).toEqual(['1 KB', '1,3 MB']);
  });
});

it('counts whole characters of the benefit', () => {
  expect(benefitLeft('ñ💪')).toBe(498);
});

describe('asking for CONVENIOS', () => {
  let hand: Hand;
  let requesting: Requesting;

  beforeEach(() => {
    hand = new Hand();
    requesting = new Requesting(new Desk(hand.backend));
    requesting.start();
  });

  /** Saving goes one after the other, so it is asked for a moment later. */
  const next = async () => {
    void requesting.next();
    await settle();
  };
  const fill = async () => {
    await hand.answer('begin_application', FIRST);
    Object.assign(requesting.form, { contact_phone: '300 123 45 67' });
    await next();
    await hand.answer('check_contact', undefined);
    await hand.answer('keep_application', undefined);
    requesting.form.benefit = FORM.benefit;
    await next();
    await hand.answer('keep_application', undefined);
    Object.assign(requesting.form.branches[0] ?? {}, FORM.branches[0]);
    await next();
    await hand.answer('keep_application', undefined);
    void requesting.choose([PDF]);
    await hand.answer('attach_file', FILE);
    await next();
    await hand.answer('keep_application', undefined);
  };
  const kept = () => hand.asked.filter(([command]) => command === 'keep_application').at(-1)?.[1];

  it('goes step by step, and everything is kept on the way', async () => {
    await fill();
    expect(requesting.step).toBe('review');
    expect(kept()).toEqual(FORM);
    await next();
    await hand.answer('keep_application', undefined);
    await hand.answer('send_application', {} as ApplicationRequest);
    await hand.refuse('refresh_session', 'SERVER_UNREACHABLE');
    expect([requesting.step, requesting.problem]).toEqual(['done', null]);
  });

  it('begins with one sede, and where the draft of before stopped', async () => {
    await hand.answer('begin_application', { ...FIRST, form: { ...FORM, branches: [] } });
    expect(requesting.step).toBe('branches');
    expect(requesting.form.branches).toHaveLength(1);
  });

  it('shows a rejected request as a whole, with the reason', async () => {
    const corrects = { revision: 1, reason: 'El certificado está vencido.' };
    await hand.answer('begin_application', { ...FIRST, form: FORM, file: FILE, corrects });
    expect([requesting.step, requesting.corrects?.reason]).toEqual(['review', corrects.reason]);
    requesting.change('file');
    void requesting.remove_file();
    await hand.answer('detach_file', undefined);
    await next();
    expect(requesting.problem?.field).toBe('file');
    void requesting.choose([PDF]);
    await hand.answer('attach_file', FILE);
    await next();
    await hand.answer('keep_application', undefined);
    expect(requesting.step).toBe('review');
  });

  it('loses nothing without a connection', async () => {
    await fill();
    await next();
    await hand.answer('keep_application', undefined);
    await hand.refuse('send_application', 'SERVER_UNREACHABLE');
    expect([requesting.step, requesting.problem?.field, requesting.file]).toEqual(['review', null, FILE]);
    await next();
    await hand.answer('keep_application', undefined);
    expect(hand.count('send_application')).toBe(2);
  });

  it('sends once, however often Enter is pressed', async () => {
    await fill();
    await next();
    await next();
    await hand.answer('keep_application', undefined);
    expect(hand.count('send_application')).toBe(1);
  });

  it('sends nothing that could not be kept: the desk would send what was typed before', async () => {
    await fill();
    await next();
    await hand.refuse('keep_application', 'DISK_FULL');
    expect(requesting.keep_error).toContain('disco');
    expect([requesting.step, hand.count('send_application')]).toEqual(['review', 0]);
  });

  it('goes back to the field that the server does not take, and to what was emptied meanwhile', async () => {
    await fill();
    await next();
    await hand.answer('keep_application', undefined);
    await hand.refuse('send_application', 'PHONE_INVALID');
    expect([requesting.step, requesting.problem?.field]).toEqual(['contact', 'contact_phone']);
    requesting.form.benefit = '';
    requesting.step = 'review';
    await next();
    expect([requesting.step, requesting.problem?.field]).toEqual(['benefit', 'benefit']);
  });

  it('takes sedes away and keeps what is left', async () => {
    await fill();
    requesting.change('branches');
    requesting.add_branch();
    Object.assign(requesting.form.branches[1] ?? {}, {
      name: 'Sede Sur',
      city: 'Soledad',
      address: 'Calle 30',
    });
    requesting.remove_branch(0);
    await settle();
    await hand.answer('keep_application', undefined);
    expect(requesting.form.branches.map(({ name }) => name)).toEqual(['Sede Sur']);
    expect(kept()).toMatchObject({ branches: [{ name: 'Sede Sur' }] });
  });

  it('says what is wrong with a file, and keeps the one of before', async () => {
    await fill();
    requesting.change('file');
    void requesting.choose([new File(['GIF89a'], 'foto.gif')]);
    await hand.refuse('attach_file', 'ATTACHMENT_KIND');
    expect(requesting.problem).toEqual({
      field: 'file',
      text: 'El archivo no es un PDF ni una imagen PNG o JPG. Elija otro.',
    });
    expect(requesting.file).toEqual(FILE);
  });

  it('keeps what is typed when nobody types for a moment: the desk may be locked in the middle of a field', async () => {
    await hand.answer('begin_application', FIRST);
    vi.useFakeTimers();
    requesting.form.benefit = 'la mi';
    requesting.typed();
    vi.advanceTimersByTime(400);
    requesting.form.benefit = 'la mitad';
    requesting.typed();
    vi.advanceTimersByTime(400);
    expect(hand.count('keep_application')).toBe(0);
    vi.advanceTimersByTime(200);
    vi.useRealTimers();
    await settle();
    expect(kept()).toMatchObject({ benefit: 'la mitad' });
  });

  it('keeps what is typed when the screen is left', async () => {
    const other = new Requesting(new Desk(hand.backend));
    const leave = other.start();
    await hand.answer('begin_application', FIRST, 1);
    other.form.benefit = 'la mitad';
    leave();
    await settle();
    await hand.answer('keep_application', undefined);
    expect(kept()).toMatchObject({ benefit: 'la mitad' });
  });

  it('says why there is nothing to ask for', async () => {
    await hand.refuse('begin_application', 'ALREADY_REQUESTED');
    expect([requesting.phase, requesting.open_error?.code]).toEqual(['failed', 'ALREADY_REQUESTED']);
  });
});
