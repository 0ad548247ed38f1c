/** How a catalogue speaks: its sentences, filled in, with numbers and plurals of its language. */

/** A sentence of a catalogue. */
export type KeyOf<Catalogue> = keyof Catalogue & string;

/** A sentence that depends on a count: `<base>_one` and `<base>_other`. */
export type PluralOf<Catalogue> =
  KeyOf<Catalogue> extends infer K ? (K extends `${infer Base}_other` ? Base : never) : never;

/** What fills the `{placeholders}` of a sentence. */
export type Params = Record<string, string | number>;

export interface Sentences<Catalogue> {
  /** Whether the catalogue has this key: for codes that come from outside. */
  isKey: (text: string) => text is KeyOf<Catalogue>;
  /** The sentence under `key`. A placeholder without a value stays visible: better odd than silently wrong. */
  t: (key: KeyOf<Catalogue>, params?: Params) => string;
  /** The sentence for `count` things; `{count}` is filled in. */
  plural: (base: PluralOf<Catalogue>, count: number, params?: Params) => string;
}

export function sentencesOf<Catalogue extends Record<string, string>>(
  catalogue: Catalogue,
  locale: string,
): Sentences<Catalogue> {
  const numbers = new Intl.NumberFormat(locale);
  const plurals = new Intl.PluralRules(locale);

  const t = (key: string, params: Params = {}): string =>
    (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (placeholder, name: string) => {
      const value = params[name];
      if (value === undefined) return placeholder;
      return typeof value === 'number' ? numbers.format(value) : value;
    });

  return {
    isKey: (text): text is KeyOf<Catalogue> => Object.hasOwn(catalogue, text),
    t,
    plural: (base, count, params = {}) =>
      t(`${base}_${plurals.select(count) === 'one' ? 'one' : 'other'}`, { ...params, count }),
  };
}
