/**
 * What is to be remembered after a look at the client's code. Another tree is a change, which every update is: it is written down, for the person to compare
 * with what whoever runs the server has published. Files that are not what their address says, or were others under the same address before, are
 * an alarm: no update does that. Pure.
 */

/** @import { Known, Seen } from './interface.js' */

/** Of each; older ones are forgotten. */
const MOST_REMEMBERED = 20;

/**
 * @param {Known | null} known
 * @param {Seen} seen
 * @param {number} at
 * @returns {{ known: Known, news: 'nothing' | 'changed' | 'alarm' }}
 */
export function judge(known, { tree, sha256, isTrue }, at) {
  const code = { tree, sha256 };
  const isOther = known !== null && known.code.tree === tree && known.code.sha256 !== sha256;
  if (!isTrue || isOther) {
    const alarm = { at, tree, was: isOther ? known.code.sha256 : null, is: sha256 };
    const isNew = !known?.alarms.some((each) => each.tree === tree && each.is === sha256);
    // What is true stays what it is compared with.
    const before = known ?? { code, since: at, lookedAt: at, changes: [], alarms: [] };
    return { known: { ...before, lookedAt: at, alarms: isNew ? first([alarm, ...before.alarms]) : before.alarms }, news: isNew ? 'alarm' : 'nothing' };
  }
  if (known === null) return { known: { code, since: at, lookedAt: at, changes: [], alarms: [] }, news: 'nothing' };
  if (known.code.tree === tree) return { known: { ...known, lookedAt: at }, news: 'nothing' };
  return { known: { ...known, code, since: at, lookedAt: at, changes: first([{ at, from: known.code, to: code }, ...known.changes]) }, news: 'changed' };
}

/** @template T @param {T[]} newestFirst */
function first(newestFirst) {
  return newestFirst.slice(0, MOST_REMEMBERED);
}
