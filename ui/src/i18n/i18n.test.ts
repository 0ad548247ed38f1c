import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import es from '$catalogue/es.json';
import { commandError, sentence } from '../errors';
import { isKey, type Key, plural, t } from './i18n';

const SRC = join(import.meta.dirname, '..');

/** The words of a closed set, as the bindings list them: the files are generated, so they are read, not repeated. */
function words(type: string): string[] {
  const binding = readFileSync(join(SRC, 'bindings', `${type}.ts`), 'utf8');
  const found = [...binding.matchAll(/"([A-Za-z_]+)"(?= \||;)/g)].map(([, word]) => word ?? '');
  if (found.length === 0) throw new Error(`${type} has no words`);
  return found;
}

const each = (type: string, ...keys: ((word: string) => string)[]) =>
  words(type).flatMap((word) => keys.map((key) => key(word)));

/** The sentences that are looked up by a code of the desk. */
const BY_CODE = [
  ...each('ErrorCode', (code) => `error_${code}`),
  ...each('Verdict', (code) => `verdict_${code}`),
  ...each(
    'Reason',
    (code) => `reason_${code}_what`,
    (code) => `reason_${code}_say`,
  ),
  ...each('Fixer', (code) => `fixer_${code}`),
  ...each(
    'Cause',
    (code) => `cause_${code}_what`,
    (code) => `cause_${code}_do`,
  ),
  ...each(
    'ItemCode',
    (code) => `item_code_${code}_what`,
    (code) => `item_code_${code}_do`,
  ),
  ...each('ItemState', (code) => `item_state_${code}`),
  ...each('ItemKind', (code) => `item_kind_${code}`),
  ...each('VoidReason', (code) => `void_reason_${code}`),
  ...each('UsageState', (code) => `item_state_${code}`),
  ...each('DocumentKind', (code) => `document_kind_${code}`),
  ...each('ApplicationState', (code) => `application_state_${code}`),
  ...each('Weakness', (code) => `cuenta_weakness_${code}`),
  ...each('Strength', (code) => `cuenta_strength_${code}`),
  ...each('Notice', (code) => `notice_${code}`),
  ...each('PrintState', (code) => `reporte_print_${code}`),
];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'bindings' || entry.name === 'mock' ? [] : sources(path);
    return /\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith('.test.ts')
      ? [readFileSync(path, 'utf8')]
      : [];
  });
}

describe('the catalogue', () => {
  it('has a sentence for every code of the desk', () => {
    expect(BY_CODE.filter((key) => !isKey(key))).toEqual([]);
  });

  it('has no sentence that nothing uses', () => {
    const text = sources(SRC).join('\n');
    const templates = [...text.matchAll(/`([a-z]+(?:_[a-z]+)*_)\$\{[^}]+\}((?:_[a-z]+)*)`/g)];
    const used = (key: string) =>
      BY_CODE.includes(key) ||
      text.includes(`'${key}'`) ||
      text.includes(`'${key.replace(/_(one|other)$/, '')}'`) ||
      templates.some(([, start = '', end = '']) => key.startsWith(start) && key.endsWith(end));
    expect(Object.keys(es).filter((key) => !used(key))).toEqual([]);
  });

  it('says every error in at least one whole sentence', () => {
    for (const code of words('ErrorCode'))
      expect(t(`error_${code}` as Key), code).toMatch(/^[A-ZÁÉÍÓÚÑ¿].*\.$/u);
  });

  it('speaks to the operator as usted', () => {
    const familiar = /\b(tú|tu|tus|tienes|puedes|intenta|revisa|escribe|elige|ingresa|pide|espera tu)\b/i;
    for (const [key, text] of Object.entries(es)) expect(text, key).not.toMatch(familiar);
  });
});

describe('a sentence', () => {
  it('is filled in, with numbers as Colombians write them', () => {
    expect(t('reporte_showing', { shown: 200, total: 5000 })).toBe('Se muestran 200 de 5.000');
  });

  it('keeps a placeholder that nobody filled in sight', () => {
    expect(t('status_synced')).toBe('Sincronizado {ago}');
  });

  it('agrees with its number', () => {
    expect(plural('reporte_uses', 1)).toBe('1 uso');
    expect(plural('reporte_uses', 0)).toBe('0 usos');
    expect(plural('reporte_uses', 1_000_000)).toBe('1.000.000 usos');
  });
});

describe('an error', () => {
  it('is the sentence of its code', () => {
    expect(sentence(commandError({ code: 'DISK_FULL', params: {} }))).toContain('disco');
    expect(sentence(commandError({ code: 'UNSENT_ITEMS', params: { count: 3 } }))).toContain('Quedan 3 ');
  });

  it('is a fault of the program when it is not one of the desk', () => {
    for (const thrown of ['forbidden', null, undefined, new Error('x'), { code: 'NEW_CODE' }, { code: 7 }]) {
      expect(commandError(thrown)).toEqual({ code: 'INTERNAL', params: {} });
    }
  });

  it('leaves no placeholder in sight whatever the desk did not say', () => {
    for (const code of words('ErrorCode')) {
      expect(sentence(commandError({ code, params: {} })), code).not.toContain('{');
    }
  });
});
