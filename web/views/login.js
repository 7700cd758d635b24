/** Log in. */

/** @import { Page } from './page.js' */

import { t } from '../i18n/index.js';
import { el } from '../ui/dom.js';
import { field, form } from '../ui/form.js';
import { languageLinks } from './language.js';
import { centred, heading } from './page.js';

/** @type {Page} */
export const loginPage = (app) => {
  const title = t('auth.login_title');
  const reason = app.session.reason;
  const element = centred(
    'login',
    heading(title),
    el('p', { class: 'hint' }, t('shell.tagline')),
    reason ? el('p', { class: 'notice', role: 'status' }, t(`auth.${reason}`)) : null,
    form(
      { submit: t('auth.login'), action: 'login', send: ({ username = '', password = '' }) => app.session.login(username.trim(), password) },
      field({ label: t('auth.username'), name: 'username', autocomplete: 'username', attributes: { autocapitalize: 'none', spellcheck: 'false', 'data-focus': true } }),
      field({ label: t('auth.password'), name: 'password', type: 'password', autocomplete: 'current-password' }),
    ),
    el('p', { class: 'aside' }, `${t('auth.to_register')} `, el('a', { href: `/register${location.search}${location.hash}` }, t('auth.register'))),
  );
  element.append(languageLinks(app));
  return { title, element };
};
