/**
 * The sentences of the screens, from `assets/i18n/es.json`.
 *
 * The catalogue is flat JSON because `hanna-deskctl` prints from the same file. Paraglide was looked at and left out:
 * its plugin wants plurals in a nested format that Rust would have to learn, and it generates code; the compiler
 * already knows every key from the JSON, so a missing sentence is a type error without it.
 *
 * Another language is another file with the same keys, added to `catalogues`.
 */
import es from '$catalogue/es.json';

/** A sentence of the catalogue. */
export type Key = keyof typeof es;

/** A sentence that depends on a count: `<base>_one` and `<base>_other`. */
export type PluralKey = Key extends infer K ? (K extends `${infer Base}_other` ? Base : never) : never;

/** What fills the `{placeholders}` of a sentence. */
export type Params = Record<string, string | number>;

const catalogues = { 'es-CO': es } satisfies Record<string, Record<Key, string>>;

/** The language of the screens, as `Intl` wants it. */
export const locale: keyof typeof catalogues = 'es-CO';

const catalogue: Record<Key, string> = catalogues[locale];
const numbers = new Intl.NumberFormat(locale);
const plurals = new Intl.PluralRules(locale);

/** Whether the catalogue has this key: for codes that come from outside. */
export function isKey(text: string): text is Key {
  return Object.hasOwn(catalogue, text);
}

/** The sentence under `key`. A placeholder without a value stays visible: better odd than silently wrong. */
export function t(key: Key, params: Params = {}): string {
  return catalogue[key].replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = params[name];
    if (value === undefined) return placeholder;
    return typeof value === 'number' ? numbers.format(value) : value;
  });
}

/** The sentence for `count` things; `{count}` is filled in. */
export function plural(base: PluralKey, count: number, params: Params = {}): string {
  const form = plurals.select(count) === 'one' ? 'one' : 'other';
  return t(`${base}_${form}` as Key, { ...params, count });
}
