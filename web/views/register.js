/** Create an account, with the server's registration secret. */

/** @import { Page } from './page.js' */

import { t } from '../i18n/index.js';
import { el } from '../ui/dom.js';
import { field, form } from '../ui/form.js';
import { languageLinks } from './language.js';
import { centred, heading } from './page.js';

/** The server has the last word; these save a round trip. */
const USERNAME = /^[A-Za-z0-9_.-]{3,32}$/;
const SHORTEST_PASSWORD_BYTES = 8;

/**
 * @param {Record<string, string>} values
 * @returns {string | null} an error code
 */
export function checkRegistration({ username = '', password = '' }) {
  if (!USERNAME.test(username.trim())) return 'invalid_username';
  return new TextEncoder().encode(password).length < SHORTEST_PASSWORD_BYTES ? 'invalid_password' : null;
}

/** @type {Page} */
export const registerPage = (app) => {
  const title = t('auth.register_title');
  const element = centred(
    'register',
    heading(title),
    form(
      {
        submit: t('auth.register'),
        action: 'register',
        check: checkRegistration,
        send: ({ username = '', password = '', registration_secret: secret = '' }) => app.session.register(username.trim(), password, secret.trim()),
      },
      field({
        label: t('auth.username'),
        name: 'username',
        hint: t('auth.username_hint'),
        autocomplete: 'username',
        attributes: { autocapitalize: 'none', spellcheck: 'false', maxlength: '32', 'data-focus': true },
      }),
      field({ label: t('auth.password'), name: 'password', hint: t('auth.password_hint'), type: 'password', autocomplete: 'new-password' }),
      field({ label: t('auth.secret'), name: 'registration_secret', hint: t('auth.secret_hint'), attributes: { autocapitalize: 'none', spellcheck: 'false' } }),
    ),
    el('p', { class: 'aside' }, `${t('auth.to_login')} `, el('a', { href: `/login${location.search}${location.hash}` }, t('auth.login'))),
  );
  element.append(languageLinks(app));
  return { title, element };
};
