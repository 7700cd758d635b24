/** Order in a room in plain words: its settings, and what was done. No DOM. */

/** @import { Act } from '../api.js' */
/** @import { Key } from '../i18n/index.js' */

import { t } from '../i18n/index.js';

/** @param {number} seconds */
export function slowModeText(seconds) {
  if (seconds === 0) return t('order.slow_off');
  return seconds % 60 === 0 ? t('order.slow_minutes', { count: seconds / 60 }) : t('order.slow_seconds', { count: seconds });
}

/** @param {number | null} days */
export function retentionText(days) {
  return days === null ? t('order.kept_forever') : t('order.kept_days', { count: days });
}

/** @param {Act} act */
export function actText(act) {
  const key = `audit.${act.act}`;
  const values = { actor: act.actor_name ?? t('audit.somebody'), subject: act.subject_name ?? t('audit.somebody'), detail: detailText(act) };
  if (act.act === 'topic' && act.detail === '') return t('audit.no_topic', values);
  return t(/** @type {Key} */ (key), values);
}

/** @param {Act} act */
function detailText({ act, detail }) {
  switch (act) {
    case 'slow_mode':
      return slowModeText(Number(detail));
    case 'retention':
      return retentionText(detail === '' ? null : Number(detail));
    case 'role':
      return t(detail === 'moderator' ? 'role.moderator' : 'role.member');
    case 'forbid':
    case 'allow':
      return t(/** @type {Key} */ (`source.${detail}`));
    default:
      return detail;
  }
}
