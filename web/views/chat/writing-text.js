/** Whether one may write, in words, and how long such words hold. No DOM. */

/** @import { Writing } from '../../state/chat/interface.js' */

import { t } from '../../i18n/index.js';
import { slowModeText } from '../order-text.js';

/** Nobody needs the seconds of a wait of minutes. */
const SECONDS_UNDER_MS = 60_000;

/**
 * @param {Writing} writing
 * @param {number} now
 */
export function writingText({ state, untilMs, everyS }, now) {
  switch (state) {
    case 'room_locked':
      return t('order.locked_now');
    case 'chat_muted':
      return t('order.muted_now');
    case 'no_member':
      return t('chat.no_member_now');
    case 'slow':
      return waitText((untilMs ?? now) - now);
    case 'open':
      return everyS > 0 ? `${t('order.slow')}: ${slowModeText(everyS)}` : '';
  }
}

/** @param {number} ms */
function waitText(ms) {
  const left = Math.max(ms, 1);
  return left > SECONDS_UNDER_MS ? t('chat.slow_minutes', { count: Math.ceil(left / 60_000) }) : t('chat.slow_seconds', { count: Math.ceil(left / 1000) });
}

/**
 * Milliseconds until the text is another.
 * @param {number} leftMs
 */
export function nextChangeMs(leftMs) {
  if (leftMs <= 0) return 0;
  const step = leftMs > SECONDS_UNDER_MS ? 60_000 : 1_000;
  // A little later than the border: a timer that came early would draw the same once more.
  return (leftMs % step || step) + 5;
}

/** Whether nothing at all can be written: not a message, not an edit, not a reaction. @param {Writing} writing */
export function isSilenced({ state }) {
  return state !== 'open' && state !== 'slow';
}
