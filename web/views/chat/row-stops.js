/** What Tab stops at within a message: its links and buttons. */

const STOPS = 'a, button';

/**
 * Whether Tab stops in this message.
 * @param {Element} row
 * @param {boolean} yes
 */
export function reachable(row, yes) {
  for (const stop of row.querySelectorAll(STOPS)) stop.setAttribute('tabindex', yes ? '0' : '-1');
}

/**
 * Where the focus goes when a message that has it is drawn anew: to what it was on, or to the message when that is gone.
 * @param {Element} fresh
 * @param {Element | null} focused
 * @returns {HTMLElement | null}
 */
export function sameStop(fresh, focused) {
  const stops = /** @type {HTMLElement[]} */ ([...fresh.querySelectorAll(STOPS)]);
  const wanted = focused?.matches(STOPS) ? identity(/** @type {HTMLElement} */ (focused)) : null;
  return stops.find((stop) => identity(stop) === wanted) ?? fresh.querySelector('.message');
}

/** What it leads to; what it shows may have changed. @param {HTMLElement} stop */
function identity(stop) {
  return JSON.stringify([stop.getAttribute('href'), { ...stop.dataset }]);
}
