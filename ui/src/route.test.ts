import { describe, expect, it } from 'vitest';
import type { Session } from './bindings/Session';
import { allowedScreen, formatRoute, parseRoute } from './route';

const BRANCH = { id: 'b', code: 'GYM-01', name: 'Sede Norte', city: 'Barranquilla' };
const SESSION: Session = {
  operator: { id: 'o', username: 'ana', display_name: 'Ana' },
  entity: null,
  roles: ['OPERATOR'],
  branches: [BRANCH],
  branch: BRANCH,
  applications: [{ code: 'CONVENIOS', name: '', description: '', state: 'APPROVED', reason: null }],
  locked: false,
};
const NO_BRANCH = { ...SESSION, branch: null };
const IN_REVIEW = {
  ...SESSION,
  applications: [{ code: 'CONVENIOS', name: '', description: '', state: 'IN_REVIEW' as const, reason: null }],
};

describe('the address', () => {
  it('keeps the screen and its filters', () => {
    const route = { screen: 'reporte', filters: { desde: '2026-11-01', sede: 'Ñ &=' } } as const;
    expect(parseRoute(formatRoute(route))).toEqual(route);
    expect(formatRoute({ screen: 'consulta', filters: {} })).toBe('#/consulta');
  });

  it('is nothing when it names no screen', () => {
    for (const hash of ['', '#', '#/', '#/otra', '#/Consulta']) expect(parseRoute(hash), hash).toBeNull();
  });
});

describe('the screen that may be shown', () => {
  it('is Ingreso for everything while nobody is signed in', () => {
    for (const screen of ['consulta', 'reporte', 'por-enviar', null] as const) {
      expect(allowedScreen(screen, null)).toBe('ingreso');
    }
  });

  it('is the way in for whoever is not signed in, and for nobody else', () => {
    for (const screen of ['crear-usuario', 'olvide-contrasena'] as const) {
      expect(allowedScreen(screen, null)).toBe(screen);
      expect(allowedScreen(screen, SESSION)).toBe('aplicaciones');
    }
    expect(allowedScreen('cambiar-contrasena', null)).toBe('ingreso');
    expect(allowedScreen('cambiar-contrasena', IN_REVIEW)).toBe('cambiar-contrasena');
  });

  it('is Consulta after a restart, when the sede is remembered', () => {
    expect(allowedScreen(null, SESSION)).toBe('consulta');
    expect(allowedScreen('ingreso', SESSION), 'just signed in').toBe('aplicaciones');
  });

  it('is the one asked for when all is in order', () => {
    for (const screen of ['aplicaciones', 'sede', 'consulta', 'por-enviar', 'reporte'] as const) {
      expect(allowedScreen(screen, SESSION)).toBe(screen);
    }
  });

  it('is Sede first where a sede is needed', () => {
    expect(allowedScreen('consulta', NO_BRANCH)).toBe('sede');
    expect(allowedScreen('reporte', NO_BRANCH)).toBe('sede');
    expect(allowedScreen(null, NO_BRANCH)).toBe('aplicaciones');
  });

  it('is Aplicaciones until the application is approved; what is recorded can be seen all the same', () => {
    expect(allowedScreen('consulta', IN_REVIEW)).toBe('aplicaciones');
    expect(allowedScreen('sede', IN_REVIEW)).toBe('aplicaciones');
    expect(allowedScreen('por-enviar', IN_REVIEW)).toBe('por-enviar');
  });
});
