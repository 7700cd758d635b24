/** A person without a picture: their initials on a colour of their own, the same everywhere. */

import { el } from '../ui/dom.js';

/**
 * @param {string} name
 * @returns {HTMLElement}
 */
export function avatar(name) {
  const element = el('div', { class: 'avatar', 'aria-hidden': 'true' }, initials(name));
  element.style.setProperty('--hue', String(hueOf(name)));
  return element;
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[._\-\s]+/).filter(Boolean);
  const letters = words.length > 1 ? `${words[0]?.[0] ?? ''}${words[1]?.[0] ?? ''}` : name.slice(0, 1);
  return letters.toUpperCase();
}

/**
 * @param {string} name
 * @returns {number} degrees
 */
export function hueOf(name) {
  let hash = 0;
  for (const letter of name.toLowerCase()) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return hash / 10;
}
