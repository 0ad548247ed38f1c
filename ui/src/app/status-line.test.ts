import { describe, expect, it } from 'vitest';
import { STATUS } from '../testing/hand';
import {
  allSent,
  connection,
  connectionText,
  connectionTitle,
  freshnessText,
  outboxText,
} from './status-line';

describe('Todo enviado', () => {
  it('is said only when the desk counted nothing open', () => {
    expect(outboxText(STATUS)).toBe('Todo enviado');
    for (const open of [{ pending: 1 }, { needs_attention: 1 }, { lookups: 1 }])
      expect(allSent({ ...STATUS, ...open })).toBe(false);
  });

  it('is never said of a status that is not known', () => {
    for (const unknown of [null, undefined]) {
      expect(allSent(unknown)).toBe(false);
      expect(outboxText(unknown)).not.toContain('enviado');
    }
  });

  it('gives way to what waits and what a person has to look at', () => {
    expect(outboxText({ ...STATUS, pending: 3, needs_attention: 1 })).toBe(
      '1 requiere atención · 3 por enviar',
    );
    expect(outboxText({ ...STATUS, needs_attention: 2 })).toBe('2 requieren atención');
  });
});

describe('offline lookups', () => {
  it('are named only when nothing else waits', () => {
    expect(outboxText({ ...STATUS, pending: 2, lookups: 5 })).toBe('2 por enviar');
    expect(outboxText({ ...STATUS, needs_attention: 1, lookups: 5 })).toBe('1 requiere atención');
  });

  it('are said to be on their way only when there is a way', () => {
    const waiting = { ...STATUS, lookups: 5 };
    expect(outboxText(waiting)).toBe('Enviando registros de consulta');
    expect(outboxText({ ...waiting, online: false })).toBe('5 consultas por enviar');
    expect(outboxText({ ...waiting, sign_in_needed: true })).toBe('5 consultas por enviar');
    expect(outboxText({ ...waiting, online: false, lookups: 1 })).toBe('1 consulta por enviar');
  });
});

describe('the connection', () => {
  it('names the cause when it says more than "sin conexión"', () => {
    const offline = { ...STATUS, online: false };
    expect(connectionText({ ...offline, cause: 'UNREACHABLE' })).toBe('Sin conexión');
    expect(connectionText({ ...offline, cause: 'UNREADABLE' })).toBe(
      'Sin conexión · Lo que respondió no es Hanna',
    );
    expect(connectionText(STATUS)).toBe('En línea');
  });

  it('says of a program that is too old which one to install, and in full why', () => {
    const offline = { ...STATUS, online: false, cause: 'PROGRAM_TOO_OLD' as const };
    const too_old = { ...offline, minimum_version: '0.2.0' };
    expect(connectionText(too_old)).toBe('Sin servicio · instale la 0.2.0');
    expect(connectionTitle(too_old)).toContain(
      'Esta versión del programa ya no sirve: instale la 0.2.0 o una posterior',
    );
    expect(connectionTitle(STATUS)).toBe('En línea');
  });

  it('claims neither before anything was asked of the server', () => {
    expect(connection({ ...STATUS, online: false, last_sync_at: null })).toBe('unknown');
    expect(connection({ ...STATUS, online: false, last_sync_at: null, cause: 'UNREACHABLE' })).toBe(
      'offline',
    );
    expect(connectionText(null)).toBe('No se pudo leer el estado');
  });
});

it('counts the seconds since the last sync', () => {
  expect(freshnessText(STATUS, new Date('2026-11-22T15:32:04Z'))).toBe('Sincronizado hace 4 s');
  expect(freshnessText({ ...STATUS, last_sync_at: null }, new Date())).toBe('Sin sincronizar todavía');
});
