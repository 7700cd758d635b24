/** Forms: a labelled field, and a submit that cannot run twice and shows what went wrong beside the field or above the button. */

import { errorText, t } from '../i18n/index.js';
import { el, fill } from './dom.js';
import { icon } from './icons.js';

let lastId = 0;

/**
 * @param {{ label: string, name: string, hint?: string, type?: string, autocomplete?: string, attributes?: Record<string, string | boolean> }} options
 * @returns {HTMLElement} with an input of that name
 */
export function field({ label, name, hint, type = 'text', autocomplete = 'off', attributes = {} }) {
  const id = `field-${name}-${++lastId}`;
  const described = hint ? { 'aria-describedby': `${id}-hint` } : {};
  const input = el('input', { id, name, type, autocomplete, required: true, ...described, ...attributes });
  return el(
    'div',
    { class: 'field' },
    el('label', { for: id }, label),
    input,
    hint ? el('p', { class: 'hint', id: `${id}-hint` }, hint) : null,
  );
}

/**
 * @param {{ label: string, name: string, options: { value: string, text: string }[], value: string, changed: (value: string) => void }} options
 */
export function choice({ label, name, options, value, changed }) {
  const id = `field-${name}-${++lastId}`;
  const select = el('select', { id, name, on: { change: () => changed(select.value) } });
  fill(select, ...options.map((option) => el('option', { value: option.value }, option.text)));
  select.value = options.some((option) => option.value === value) ? value : (options[0]?.value ?? '');
  return el('div', { class: 'field' }, el('label', { for: id }, label), select);
}

/**
 * @param {{ submit: string, action: string, busy?: string, send: (values: Record<string, string>) => Promise<void>, check?: (values: Record<string, string>) => string | null }} options
 *   `check` returns an error code before anything is sent; `busy` is said while it is
 * @param {HTMLElement[]} fields
 * @returns {HTMLFormElement}
 */
export function form({ submit, action, busy, send, check }, ...fields) {
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const button = el('button', { class: 'button primary wide', type: 'submit', data: { action } }, submit);
  const working = busy === undefined ? null : el('p', { class: 'hint', role: 'status' });
  const element = el('form', { novalidate: true }, ...fields, problem, working, button);
  /** @param {unknown} error */
  const show = (error) => {
    fill(problem, icon('warning'), el('span', {}, errorText(error)));
    problem.hidden = false;
  };
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const values = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(element)));
    const empty = [...element.querySelectorAll('input')].find((input) => input.required && input.value === '');
    const code = empty ? 'field_empty' : (check?.(values) ?? null);
    problem.hidden = true;
    if (code !== null) {
      show({ code });
      empty?.focus();
      return;
    }
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    working?.append(busy ?? '');
    try {
      await send(values);
    } catch (error) {
      show(error);
    } finally {
      button.disabled = false;
      button.removeAttribute('aria-busy');
      working?.replaceChildren();
    }
  });
  return element;
}

/**
 * What a button in a list is called aloud: what it does, then to what, since whoever hears it does not see its row.
 * @param {string} label
 * @param {string} about
 */
export function labelled(label, about) {
  return `${label}: ${about}`;
}

/**
 * An icon with a name that is shown on hover and read aloud.
 * @param {{ icon: import('./icons.js').IconName, label: string, about?: string, action: string, click: () => void, class?: string }} options
 *   `about` what it acts on, for those who do not see its row
 */
export function iconButton({ icon: name, label, about, action, click, class: extra = '' }) {
  const spoken = about === undefined ? label : labelled(label, about);
  return el('button', { class: `icon-button ${extra}`, type: 'button', title: label, 'aria-label': spoken, data: { action }, on: { click } }, icon(name));
}

/** A calm sign that something is being fetched. */
export function spinner() {
  return el('div', { class: 'spinner', role: 'status', 'aria-label': t('common.loading') });
}
