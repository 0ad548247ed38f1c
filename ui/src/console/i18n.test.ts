import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import es from '$catalogue/es.json';
import own from '$catalogue/es-console.json';
import { ApiFailure, sentence } from './api/failure';
import { isKey } from './i18n';

const HERE = import.meta.dirname;

/** The words of a closed set, as the bindings list them: the files are generated, so they are read, not repeated. */
function words(type: string): string[] {
  const binding = readFileSync(join(HERE, '../bindings', `${type}.ts`), 'utf8');
  const found = [...binding.matchAll(/"([A-Za-z_/]+)"(?= \||;)/g)].map(([, word]) => word ?? '');
  if (found.length === 0) throw new Error(`${type} has no words`);
  return found;
}

/** The sentences that are looked up by a code of the server. */
const BY_CODE = [
  ...words('ProblemCode').map((code) => `fail_${code}`),
  ...['UNREACHABLE', 'TIMED_OUT', 'ANSWER_UNREADABLE', 'NOT_SIGNED_IN', 'NOT_OF_THE_CAJA'].map(
    (code) => `fail_${code}`,
  ),
  ...words('RegistrationState').map((code) => `con_reg_state_${code}`),
  ...words('ApplicationState').map((code) => `application_state_${code}`),
  ...words('AdminUserState').map((code) => `con_user_state_${code}`),
  ...words('Role').map((code) => `con_user_role_${code}`),
  ...words('AffiliateRole').map((code) => `con_role_${code}`),
  ...words('OverLimit').map((code) => `con_over_${code}`),
  ...words('ImportState').map((code) => `con_imp_state_${code}`),
  ...words('ImportMode').map((code) => `con_imp_short_${code}`),
  ...words('MediaType').map((code) => `con_media_${code}`),
  ...words('Verdict').map((code) => `verdict_${code}`),
  ...words('Reason').map((code) => `reason_${code}_what`),
];

function sources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'mock' ? '' : sources(path);
      return /\.(ts|svelte)$/.test(entry.name) && !/\.test\.ts$|^mock\.ts$/.test(entry.name)
        ? readFileSync(path, 'utf8')
        : '';
    })
    .join('\n');
}

describe('the catalogue of the console', () => {
  it('has a sentence for every code of the server', () => {
    expect(BY_CODE.filter((key) => !isKey(key))).toEqual([]);
  });

  it('says nothing that the catalogue of the desk says', () => {
    expect(Object.keys(own).filter((key) => Object.hasOwn(es, key))).toEqual([]);
  });

  it('has no sentence that nothing uses', () => {
    const text = sources(HERE);
    const templates = [...text.matchAll(/`([a-z]+(?:_[a-z]+)*_)\$\{[^}]+\}((?:_[a-z]+)*)`/g)];
    const used = (key: string) =>
      BY_CODE.includes(key) ||
      text.includes(`'${key}'`) ||
      text.includes(`'${key.replace(/_(one|other)$/, '')}'`) ||
      templates.some(([, start = '', end = '']) => key.startsWith(start) && key.endsWith(end));
    expect(Object.keys(own).filter((key) => !used(key))).toEqual([]);
  });

  it('speaks to people of the caja as usted', () => {
    const familiar = /\b(tú|tu|tus|tienes|puedes|intenta|revisa|escribe|elige|ingresa|pide|espera tu)\b/i;
    for (const [key, text] of Object.entries(own)) expect(text, key).not.toMatch(familiar);
  });
});

describe('a failure', () => {
  it('is said in whole sentences, with nothing left to fill in', () => {
    for (const key of BY_CODE.filter((one) => one.startsWith('fail_'))) {
      const said = sentence(new ApiFailure(key.slice('fail_'.length)));
      expect(said, key).toMatch(/^[A-ZÁÉÍÓÚÑ].*\.$/u);
      expect(said, key).not.toContain('{');
    }
  });

  it('of a code this page does not know is told with its code and its number', () => {
    const said = sentence(new ApiFailure('NEW_CODE', { trace_id: 'abc123' }));
    expect(said).toContain('NEW_CODE');
    expect(said).toContain('abc123');
  });
});
