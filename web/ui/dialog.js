/** Dialogs on the browser's own <dialog>: focus is kept inside and given back, Escape closes. */

import { t } from '../i18n/index.js';
import { el } from './dom.js';
import { icon } from './icons.js';

/** @import { Child } from './dom.js' */

let lastId = 0;

/**
 * @param {{ title: string, class?: string, closed?: () => void }} options
 * @param {Child[]} children
 * @returns {HTMLDialogElement} shown already
 */
export function openDialog({ title, class: extra = '', closed }, ...children) {
  const id = `dialog-${++lastId}`;
  const close = el('button', { class: 'icon-button', type: 'button', 'aria-label': t('common.close'), on: { click: () => dialog.close() } }, icon('close'));
  const header = el('header', { class: 'dialog-header' }, el('h2', { id, tabindex: '-1' }, title), close);
  const dialog = el('dialog', { class: `dialog ${extra}`, 'aria-labelledby': id }, header, el('div', { class: 'dialog-body' }, ...children));
  dialog.addEventListener('close', () => {
    dialog.remove();
    closed?.();
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Ask before something that cannot be undone.
 * @param {{ title: string, text: string, action: string }} options
 * @returns {Promise<boolean>}
 */
export function confirmFirst({ title, text, action }) {
  return new Promise((resolve) => {
    let agreed = false;
    const yes = () => {
      agreed = true;
      dialog.close();
    };
    const dialog = openDialog(
      { title, class: 'narrow', closed: () => resolve(agreed) },
      el('p', {}, text),
      el(
        'div',
        { class: 'actions' },
        el('button', { class: 'button', type: 'button', data: { action: 'cancel' }, autofocus: true, on: { click: () => dialog.close() } }, t('common.cancel')),
        el('button', { class: 'button danger', type: 'button', data: { action: 'confirm' }, on: { click: yes } }, action),
      ),
    );
  });
}

/** Close every open dialog: the page under them has changed. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}
