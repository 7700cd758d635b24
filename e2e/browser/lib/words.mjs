// The words of the interface as a page shows them: specs name what they press by these.

import { setLanguage, t } from '../../../web/i18n/index.js';

/** A text of the catalogue in the language of this page. */
export function words(page, key, values) {
  setLanguage(page.language);
  return t(key, values);
}
