/** The sentences of the console: its own, from `assets/i18n/es-console.json`, and those it shares with the desk. */
import es from '$catalogue/es.json';
import console from '$catalogue/es-console.json';
import { locale } from '../i18n/i18n';
import { type KeyOf, type PluralOf, sentencesOf } from '../i18n/sentences';

const catalogue = { ...es, ...console };

export type Key = KeyOf<typeof catalogue>;
export type PluralKey = PluralOf<typeof catalogue>;

export { locale };
export const { isKey, t, plural } = sentencesOf(catalogue, locale);
