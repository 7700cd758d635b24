/** Settings: account, devices and keys, language and theme, the way to the connection test, sessions, password, the client's code. */

/** @import { App, Page } from './page.js' */
/** @import { SessionRow } from '../api.js' */

import { LANGUAGE_NAMES, ago, errorText, t } from '../i18n/index.js';
import { el, fill } from '../ui/dom.js';
import { choice, field, form, labelled, spinner } from '../ui/form.js';
import { toast } from '../ui/toast.js';
import { clientCodeSection } from './client-code.js';
import { keysSection } from './keys/section.js';
import { framed, heading } from './page.js';
import { attempt } from './room-acts.js';
import { browserName } from './user-agent.js';

/** @type {Page} */
export const settingsPage = (app, _parameters, signal) => {
  const title = t('settings.title');
  return { title, element: framed(app, 'settings', heading(title), account(app), keysSection(app, signal), appearance(app), receipts(app), connection(), sessions(app, signal), password(app), clientCodeSection(app, signal)) };
};

/** @param {App} app */
function account(app) {
  return el(
    'section',
    { class: 'card row-card' },
    el('p', {}, t('settings.signed_in_as', { name: app.session.user?.username ?? '' })),
    el('button', { class: 'button', type: 'button', data: { action: 'sign-out' }, on: { click: () => void app.session.logout() } }, t('settings.sign_out')),
  );
}

/** @param {App} app */
function appearance(app) {
  const { preferences } = app;
  const languages = Object.entries(LANGUAGE_NAMES).map(([value, text]) => ({ value, text }));
  const themes = [
    { value: '', text: t('settings.theme_auto') },
    { value: 'light', text: t('settings.theme_light') },
    { value: 'dark', text: t('settings.theme_dark') },
  ];
  return el(
    'section',
    { class: 'card', 'aria-labelledby': 'appearance' },
    el('h2', { id: 'appearance' }, t('settings.appearance')),
    el(
      'div',
      { class: 'columns' },
      choice({
        label: t('settings.language'),
        name: 'language',
        options: [{ value: '', text: t('settings.language_auto') }, ...languages],
        value: preferences.get('language') ?? '',
        changed: (value) => preferences.set('language', /** @type {'en' | 'ru' | null} */ (value || null)),
      }),
      choice({
        label: t('settings.theme'),
        name: 'theme',
        options: themes,
        value: preferences.get('theme') ?? '',
        changed: (value) => preferences.set('theme', /** @type {'light' | 'dark' | null} */ (value || null)),
      }),
    ),
  );
}

/** @param {App} app */
function receipts({ preferences }) {
  const box = el('input', {
    type: 'checkbox',
    name: 'receipts',
    checked: preferences.get('receipts') === 'on',
    on: { change: () => preferences.set('receipts', box.checked ? 'on' : 'off') },
  });
  return el(
    'section',
    { class: 'card', 'aria-labelledby': 'receipts' },
    el('h2', { id: 'receipts' }, t('settings.receipts_title')),
    el('label', { class: 'check' }, box, el('span', {}, t('settings.receipts'))),
    el('p', { class: 'hint' }, t('settings.receipts_hint')),
  );
}

function connection() {
  return el(
    'section',
    { class: 'card row-card' },
    el('p', {}, t('settings.diagnose_hint')),
    el('a', { class: 'button', href: '/diagnostics', data: { action: 'diagnose' } }, t('settings.diagnose')),
  );
}

/** @param {App} app */
function password(app) {
  const change = form(
    {
      submit: t('settings.change'),
      action: 'change-password',
      check: ({ new_password: next = '' }) => (new TextEncoder().encode(next).length < 8 ? 'invalid_password' : null),
      send: async ({ current_password: current = '', new_password: next = '' }) => {
        await app.session.changePassword(current, next);
        change.reset();
        toast(t('settings.changed'));
      },
    },
    el('input', { class: 'visually-hidden', type: 'text', autocomplete: 'username', value: app.session.user?.username ?? '', tabindex: '-1', 'aria-hidden': 'true' }),
    field({ label: t('settings.current_password'), name: 'current_password', type: 'password', autocomplete: 'current-password' }),
    field({ label: t('settings.new_password'), name: 'new_password', type: 'password', autocomplete: 'new-password', hint: t('auth.password_hint') }),
  );
  return el('section', { class: 'card', 'aria-labelledby': 'password' }, el('h2', { id: 'password' }, t('settings.password')), change);
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
function sessions(app, signal) {
  const list = el('ul', { class: 'sessions' }, el('li', {}, spinner()));
  const draw = async () => {
    try {
      const rows = await app.session.sessions();
      if (!signal.aborted) fill(list, ...rows.map((row) => sessionRow(app, row, draw)));
    } catch (error) {
      if (!signal.aborted) fill(list, el('li', { class: 'problem' }, errorText(error)));
    }
  };
  void draw();
  return el('section', { class: 'card', 'aria-labelledby': 'sessions' }, el('h2', { id: 'sessions' }, t('settings.sessions')), list);
}

/**
 * @param {App} app
 * @param {SessionRow} row
 * @param {() => Promise<void>} draw
 */
function sessionRow(app, row, draw) {
  const end = async () => {
    if (!(await attempt(() => app.session.endSession(row.id)))) return;
    toast(t('settings.session_gone'));
    void draw();
  };
  const name = browserName(row.user_agent ?? '');
  const text = name ? t('settings.browser_on', name) : t('settings.unknown_browser');
  const when = el('span', { class: 'hint' }, t('settings.last_used', { when: ago(row.last_used_at, Date.now()) }));
  return el(
    'li',
    { class: 'session', data: { session: row.id } },
    el('div', {}, el('p', { title: row.user_agent ?? '' }, text), row.current ? el('span', { class: 'badge' }, t('settings.this_session')) : when),
    row.current ? null : el('button', { class: 'button', type: 'button', 'aria-label': labelled(t('settings.end_session'), text), data: { action: 'end-session' }, on: { click: () => void end() } }, t('settings.end_session')),
  );
}
