// What the screens of the console work out, without a screen.
import { describe, expect, it } from 'vitest';
import { formatRoute, parseRoute } from './app/route';
import { ENTITIES, devices, REJECTED, requests, usage } from './api/mock/data';
import { formOf, inForce, readTerms, usualTerms } from './components/terms';
import { readRejected } from './screens/afiliados/rejected';
import { readDocument } from './screens/auditoria/document';
import { readNit } from './screens/entidades/nit';
import { hasBacklog, isQuiet, toLookAt } from './screens/equipos/equipos';
import { grouped, readOtp } from './screens/ingreso/otp';
import { qrOf } from './screens/ingreso/qr';
import { approvalOf, branchForms, codeProblems, sentAt } from './screens/solicitudes/solicitud';
import { shownUsage, sums, usageFile } from './screens/uso/uso';

describe('the address', () => {
  it('holds a screen, a thing and its filters, and nothing else is a place', () => {
    expect(parseRoute('#/usuarios?q=ana&rol=OPERATOR')).toEqual({
      screen: 'usuarios',
      id: null,
      filters: { q: 'ana', rol: 'OPERATOR' },
    });
    expect(parseRoute('#/entidades/abc')).toEqual({ screen: 'entidades', id: 'abc', filters: {} });
    for (const hash of ['', '#/', '#/otra', '#/entidades/a/b']) expect(parseRoute(hash), hash).toBeNull();
  });

  it('leaves out what is not set, and reads what it wrote', () => {
    expect(formatRoute('usuarios', null, { q: '', rol: '' })).toBe('#/usuarios');
    const filters = { q: 'gym & clínica', estado: 'ACTIVE' };
    expect(parseRoute(formatRoute('usuarios', null, filters))?.filters).toEqual(filters);
  });
});

describe('a code of the second factor', () => {
  it('is six digits or a recovery code, however it is spaced', () => {
    expect(readOtp(' 048 213 ')).toBe('048213');
    expect(readOtp('k3qwz7mpla')).toBe('K3QWZ-7MPLA');
    expect(readOtp('K3QWZ-7MPLA')).toBe('K3QWZ-7MPLA');
    for (const typed of ['', '12345', '1234567', 'K3QWZ-7MPL1', 'hola'])
      expect(readOtp(typed), typed).toBeNull();
  });

  it('has a secret in groups of four', () => {
    expect(grouped('JBSWY3DPEHPK3PXP')).toBe('JBSW Y3DP EHPK 3PXP');
  });

  it('is drawn with a border, and its three corners', () => {
    const { size, path } = qrOf('otpauth://totp/Hanna:a?secret=JBSWY3DPEHPK3PXP');
    expect((size - 8 - 17) % 4).toBe(0);
    const dark = (x: number, y: number) => path.includes(`M${x} ${y}h1`);
    for (const [x, y] of [
      [4, 4],
      [size - 5, 4],
      [4, size - 5],
    ] as const)
      expect(dark(x, y)).toBe(true);
    expect(dark(size - 5, size - 5) && dark(3, 3)).toBe(false);
  });
});

describe('a NIT', () => {
  it('is taken with its check digit', () => {
    expect(readNit('900.123.456-8')).toEqual({ nit: '900123456-8' });
    expect(readNit('899999068-1')).toEqual({ nit: '899999068-1' });
    expect(readNit('900123456-1')).toEqual({ problem: 'error_NIT_CHECK_DIGIT_WRONG' });
    expect(readNit('900123456')).toEqual({ problem: 'error_NIT_CHECK_DIGIT_MISSING' });
    expect(readNit('gym')).toEqual({ problem: 'error_NIT_INVALID' });
  });
});

describe('the terms of an agreement', () => {
  it('are usually those of a year', () => {
    const read = readTerms(usualTerms('Convenio', '2026-03-01'));
    expect(read).toMatchObject({ terms: { last_day: '2027-02-28', daily_limit: 1, validity_h: 24 } });
  });

  it('come out as they went in', () => {
    const read = readTerms(usualTerms('Convenio', '2026-03-01'));
    if (!('terms' in read)) throw new Error('they are right');
    expect(readTerms(formOf(read.terms))).toEqual(read);
  });

  it('say at each field what is wrong', () => {
    const usual = usualTerms('Convenio', '2026-03-01');
    const wrong = [
      [{ name: ' ' }, 'name'],
      [{ name: 'ñ'.repeat(121) }, 'name'],
      [{ first_day: '31/02/2026' }, 'first_day'],
      [{ last_day: '2026-02-28' }, 'last_day'],
      [{ last_day: '2206-02-28' }, 'last_day'],
      [{ tariffs: [] }, 'tariffs'],
      [{ roles: [] }, 'roles'],
      [{ daily_limit: '0' }, 'daily_limit'],
      [{ daily_limit: '1.5' }, 'daily_limit'],
      [{ validity_h: '49' }, 'validity_h'],
      [{ void_window_min: '1441' }, 'void_window_min'],
      [{ offline_days_max: '' }, 'offline_days_max'],
      [{ retention_days: '366' }, 'retention_days'],
    ] as const;
    for (const [change, field] of wrong) {
      const read = readTerms({ ...usual, ...change } as typeof usual);
      expect('errors' in read && Object.keys(read.errors), JSON.stringify(change)).toEqual([field]);
    }
  });

  it('hold from their first day to their last', () => {
    const read = readTerms(usualTerms('Convenio', '2026-03-01'));
    if (!('terms' in read)) throw new Error('they are right');
    const days = ['2026-02-28', '2026-03-01', '2027-02-28', '2027-03-01'];
    expect(days.map((day) => inForce(read.terms, day))).toEqual(['before', 'now', 'now', 'over']);
  });
});

describe('a request', () => {
  const [sent, corrected] = requests();
  if (!sent || !corrected) throw new Error('there are requests');

  it('was sent when it was sent last', () => {
    expect(sentAt(corrected)).toBe(corrected.history.filter(({ state }) => state === 'SUBMITTED')[1]?.at);
  });

  it('is approved with its branches, and codes that may be left to the server', () => {
    const read = readTerms(usualTerms('Convenio', '2026-03-01'));
    if (!('terms' in read)) throw new Error('they are right');
    const approval = approvalOf(corrected.revision, read.terms, branchForms(corrected));
    expect(approval.branches).toEqual([
      { code: null, name: 'Sede Norte', city: 'Barranquilla' },
      { code: null, name: 'Sede Centro', city: 'Soledad' },
    ]);
  });

  it('takes codes as the contract does, each once', () => {
    expect(codeProblems(['', 'GYM-01', 'GYM-01', 'x', 'GYM-', 'AB', 'GYM_01'])).toEqual([
      null,
      null,
      'twice',
      'shape',
      'shape',
      null,
      'shape',
    ]);
  });
});

describe('devices', () => {
  const now_ms = Date.now();
  const all = devices();

  it('are to be looked at when they are silent for long or hold something back', () => {
    const found = toLookAt(all, now_ms);
    expect(found[0]?.waiting).toBe(184);
    expect(found.every((device) => isQuiet(device, now_ms) || hasBacklog(device))).toBe(true);
    expect(found.length).toBeLessThan(all.length);
  });

  it('that are revoked are not missed, but what they hold is', () => {
    const [device] = all;
    if (!device) throw new Error('there are devices');
    const old = { ...device, last_contact_at: '2020-01-01T00:00:00Z' };
    expect(isQuiet(old, now_ms)).toBe(true);
    const revoked = { ...old, revoked_at: '2020-01-01T00:00:00Z' };
    expect(toLookAt([revoked], now_ms)).toEqual([]);
    expect(toLookAt([{ ...revoked, waiting: 2 }], now_ms)).toHaveLength(1);
  });
});

it('rejected lines are read with their quotes', () => {
  expect(readRejected(REJECTED)).toEqual([
    { line: '17', column: 'tarifa', reason: 'La tarifa es A, B, C o D, y dice «X».' },
    {
      line: '2048',
      column: 'documento',
      reason: 'El número tiene 14 dígitos: son demasiados para una cédula de ciudadanía.',
    },
    {
      line: '71002',
      column: 'primer_apellido',
      reason: 'Falta el primer apellido; la línea dice "SIN DATO".',
    },
  ]);
  expect(readRejected('\uFEFFlinea;columna;motivo\n')).toEqual([]);
});

it('a document is read as people write it', () => {
  expect(readDocument('CC', ' 1.045.678.901 ')).toEqual({ kind: 'CC', number: '1045678901' });
  expect(readDocument('PA', 'ab-12345')).toEqual({ kind: 'PA', number: 'AB12345' });
  for (const typed of ['', '1O45678901', '12', '12345678901234567'])
    expect(readDocument('CC', typed), typed).toBeNull();
});

describe('usage by entity', () => {
  const items = usage();

  it('is found whatever the case and the accents, and only where something was', () => {
    expect(shownUsage(items, 'optica', true).map(({ entity }) => entity.name)).toEqual(['ÓPTICA LUZ']);
    expect(shownUsage(items, '900123456', true)).toHaveLength(1);
    expect(shownUsage(items, '', false).length).toBeLessThan(ENTITIES.length);
    expect(shownUsage(items, '', true)).toHaveLength(ENTITIES.length);
  });

  it('is summed up, but for people', () => {
    const shown = shownUsage(items, '', true);
    expect(sums(shown).uses).toBe(shown.reduce((total, { total: { uses } }) => total + uses, 0));
    expect(sums(shown)).not.toHaveProperty('people');
  });

  it('is written a line for every branch, and never as a formula', async () => {
    const [first] = shownUsage(items, 'gym', true);
    if (!first) throw new Error('there is one');
    const named = { ...first, entity: { ...first.entity, name: '=HYPERLINK("x;y")' } };
    const text = await usageFile([named], '2026-11-01', '2026-11-30').text();
    const lines = text.replace('\uFEFF', '').trim().split('\r\n');
    expect(lines).toHaveLength(1 + first.branches.length);
    expect(lines[1]).toContain(`;"'=HYPERLINK(""x;y"")";GYM-01;`);
  });
});
