/**
 * The sentences of the screens: those of the desk, from `assets/i18n/es.json`.
 *
 * The catalogue is flat JSON because `hanna-deskctl` prints from the same file. Paraglide was looked at and left out:
 * its plugin wants plurals in a nested format that Rust would have to learn, and it generates code; the compiler
 * already knows every key from the JSON, so a missing sentence is a type error without it.
 *
 * Another language is another file with the same keys, added to `catalogues`.
 */
import es from '$catalogue/es.json';
import { type KeyOf, type PluralOf, sentencesOf } from './sentences';

/** A sentence of the catalogue. */
export type Key = KeyOf<typeof es>;

/** A sentence that depends on a count: `<base>_one` and `<base>_other`. */
export type PluralKey = PluralOf<typeof es>;

export type { Params } from './sentences';

const catalogues = { 'es-CO': es } satisfies Record<string, Record<Key, string>>;

/** The language of the screens, as `Intl` wants it. */
export const locale: keyof typeof catalogues = 'es-CO';

export const { isKey, t, plural } = sentencesOf(catalogues[locale], locale);
