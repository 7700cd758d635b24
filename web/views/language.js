/** The other languages, by their own names, for people who are not signed in yet. */

/** @import { App } from './page.js' */
/** @import { Language } from '../i18n/index.js' */

import { LANGUAGE_NAMES, language } from '../i18n/index.js';
import { el } from '../ui/dom.js';

/** @param {App} app */
export function languageLinks(app) {
  const names = /** @type {[Language, string][]} */ (Object.entries(LANGUAGE_NAMES));
  return el(
    'footer',
    { class: 'languages' },
    ...names.map(([code, name]) => {
      const current = code === language() ? { 'aria-current': 'true' } : {};
      return el('button', { class: 'link', type: 'button', lang: code, ...current, data: { language: code }, on: { click: () => app.preferences.set('language', code) } }, name);
    }),
  );
}
