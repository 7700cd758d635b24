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

/** Making one of these costs a hundred times what using it does. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {number} ms
 * @param {'time' | 'day' | 'day_and_year' | 'short_day' | 'moment'} kind
 */
function dated(ms, kind) {
  const key = `${current} ${kind}`;
  const options = /** @type {const} */ ({
    time: { timeStyle: 'short' },
    day: { weekday: 'long', day: 'numeric', month: 'long' },
    day_and_year: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
    short_day: { day: 'numeric', month: 'short' },
    moment: { dateStyle: 'medium', timeStyle: 'short' },
  });
  const format = formats.get(key) ?? new Intl.DateTimeFormat(current, options[kind]);
  formats.set(key, format);
  return format.format(ms);
}

/** The time of day. @param {number} ms */
export function clock(ms) {
  return dated(ms, 'time');
}

/** Day and time. @param {number} ms */
export function moment(ms) {
  return dated(ms, 'moment');
}

/**
 * The day as a heading: "today", "yesterday", else its date.
 * @param {number} ms
 * @param {number} nowMs
 */
export function dayName(ms, nowMs) {
  const days = daysBetween(ms, nowMs);
  if (days === 0 || days === 1) return capitalised(new Intl.RelativeTimeFormat(current, { numeric: 'auto' }).format(-days, 'day'));
  return capitalised(dated(ms, new Date(ms).getFullYear() === new Date(nowMs).getFullYear() ? 'day' : 'day_and_year'));
}

/**
 * As short as a list needs it: the time today, else the day.
 * @param {number} ms
 * @param {number} nowMs
 */
export function shortWhen(ms, nowMs) {
  return daysBetween(ms, nowMs) === 0 ? clock(ms) : dated(ms, 'short_day');
}

/**
 * Midnights between two times, where this person is.
 * @param {number} ms
 * @param {number} nowMs
 */
function daysBetween(ms, nowMs) {
  return Math.round((new Date(nowMs).setHours(12, 0, 0, 0) - new Date(ms).setHours(12, 0, 0, 0)) / 86_400_000);
}

/** @param {string} text */
function capitalised(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Several names in one sentence. @param {string[]} names */
export function listed(names) {
  return new Intl.ListFormat(current).format(names);
}

/** @param {number} bytes */
export function fileSize(bytes) {
  const steps = /** @type {const} */ (['byte', 'kilobyte', 'megabyte', 'gigabyte']);
  const step = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return new Intl.NumberFormat(current, { style: 'unit', unit: steps[step] ?? 'byte', unitDisplay: 'short', maximumFractionDigits: step > 1 ? 1 : 0 }).format(bytes / 1_000 ** step);
}

/**
 * @param {{ [form in Intl.LDMLPluralRule]?: string }} forms
 * @param {number} count
 */
function pluralForm(forms, count) {
  return forms[new Intl.PluralRules(current).select(count)] ?? forms.other ?? '';
}
