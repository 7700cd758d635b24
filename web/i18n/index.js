/**
 * Texts by key in the page's language, with the language's own plural rules; numbers and times too.
 *
 * The language is the person's choice, else the browser's first that we have, else English. Pages ask `t` when they draw; a page that is
 * open while the language changes is drawn again by the router.
 */

import { en } from './en.js';
import { ru } from './ru.js';

/** @typedef {keyof typeof en} Key */
/** @typedef {'en' | 'ru'} Language */
/** @typedef {string | { [form in Intl.LDMLPluralRule]?: string }} Text */
/** @typedef {{ [K in Key]: (typeof en)[K] extends string ? string : { [form in Intl.LDMLPluralRule]?: string } & { other: string } }} Catalogue */

/** @type {Record<Language, Catalogue>} */
export const CATALOGUES = { en, ru };
/** Each language by its own name. @type {Record<Language, string>} */
export const LANGUAGE_NAMES = { en: 'English', ru: 'Русский' };

/** @type {Language} */
let current = 'en';

export function language() {
  return current;
}

/** @param {Language} chosen */
export function setLanguage(chosen) {
  current = chosen;
}

/**
 * @param {Language | null} chosen
 * @param {readonly string[]} browserLanguages
 * @returns {Language}
 */
export function pickLanguage(chosen, browserLanguages) {
  if (chosen) return chosen;
  for (const tag of browserLanguages) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'en' || primary === 'ru') return primary;
  }
  return 'en';
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values] `count` chooses the plural form
 * @returns {string}
 */
export function t(key, values = {}) {
  /** @type {Text} */
  const text = CATALOGUES[current][key];
  const form = typeof text === 'string' ? text : pluralForm(text, Number(values['count'] ?? 0));
  return form.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Whether there is a text of this key, for keys that are put together from a code.
 * @param {string} key
 */
export function has(key) {
  return key in en;
}

/**
 * The text for anything that was thrown: by its stable `code`, else a general one.
 * @param {unknown} error
 * @returns {string}
 */
export function errorText(error) {
  const { code, retryAfterS, status } = /** @type {{ code?: unknown, retryAfterS?: number | null, status?: number }} */ (error ?? {});
  if (typeof code !== 'string') return t('error.unknown');
  if (code === 'rate_limited' && retryAfterS) return t('error.rate_limited_s', { count: retryAfterS });
  const key = `error.${code}`;
  if (has(key)) return t(/** @type {Key} */ (key));
  if (status === 429) return t('error.rate_limited');
  return (status ?? 0) >= 500 ? t('error.server') : t('error.unknown_code', { code });
}

/**
 * How long ago, in words.
 * @param {number} thenMs
 * @param {number} nowMs
 */
export function ago(thenMs, nowMs) {
  const format = new Intl.RelativeTimeFormat(current, { numeric: 'auto' });
  const minutes = Math.round((thenMs - nowMs) / 60_000);
  if (minutes > -60) return format.format(Math.min(0, minutes), 'minute');
  if (minutes > -60 * 24) return format.format(Math.round(minutes / 60), 'hour');
  return format.format(Math.round(minutes / 60 / 24), 'day');
}

/**
 * @param {{ [form in Intl.LDMLPluralRule]?: string }} forms
 * @param {number} count
 */
function pluralForm(forms, count) {
  return forms[new Intl.PluralRules(current).select(count)] ?? forms.other ?? '';
}
