/** The few buttons that float over the message one points at or has the focus on: one set for the whole list, so that rows stay light. */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';

/**
 * @param {HTMLElement} scroller
 * @param {(action: string, article: HTMLElement) => void} act
 * @param {AbortSignal} signal
 */
export function rowToolbar(scroller, act, signal) {
  /** @type {HTMLElement | null} */
  let article = null;
  /** @param {string} action */
  const press = (action) => () => article?.isConnected && act(action, article);
  const bar = el(
    'div',
    { class: 'row-toolbar', hidden: true },
    iconButton({ icon: 'smile', label: t('chat.react'), action: 'message-react', class: 'small', click: press('message-react') }),
    iconButton({ icon: 'reply', label: t('chat.reply'), action: 'message-reply', class: 'small', click: press('message-reply') }),
    iconButton({ icon: 'more', label: t('chat.more'), action: 'message-menu', class: 'small', click: press('message-menu') }),
  );
  /** @param {Element | null} over */
  const follow = (over) => {
    const next = /** @type {HTMLElement | null} */ (over?.closest('.message') ?? null);
    if (next === article) return;
    article = next;
    bar.hidden = next === null || next.dataset['state'] !== 'sent' || next.querySelector('.message-gone') !== null;
    if (next && !bar.hidden) bar.style.setProperty('--toolbar-top', `${Math.max(0, next.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 14)}px`);
  };
  scroller.addEventListener('pointerover', ({ target }) => follow(/** @type {Element} */ (target)), { signal });
  scroller.addEventListener('focusin', ({ target }) => follow(/** @type {Element} */ (target)), { signal });
  scroller.addEventListener('scroll', () => follow(null), { signal, passive: true });
  scroller.addEventListener('pointerleave', ({ relatedTarget }) => bar.contains(/** @type {Node | null} */ (relatedTarget)) || bar.contains(document.activeElement) || follow(null), { signal });
  bar.addEventListener('pointerleave', ({ relatedTarget }) => scroller.contains(/** @type {Node | null} */ (relatedTarget)) || follow(null), { signal });
  return bar;
}
