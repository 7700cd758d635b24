/** A person's name with "(you)" behind one's own. The name gives way when there is little room, the word does not. */

import { t } from '../i18n/index.js';
import { el } from '../ui/dom.js';

/**
 * @param {string} name
 * @param {boolean} own
 * @returns {HTMLElement}
 */
export function personName(name, own) {
  return el('span', { class: 'person-name' }, el('span', { class: 'clipped' }, name), own ? el('span', { class: 'you' }, `(${t('rooms.you')})`) : null);
}
