/**
 * What is to be remembered after a look at the client's code. Another tree is a change, which every update is: it is written down, for the person to compare
 * with what whoever runs the server has published. Files that are not what their address says, or were others under the same address before, are
 * an alarm: no update does that. So is a server that gives its page and, look after look, not its files. Pure.
 *
 * Only files that are what their address says become what later ones are compared with. Of the first of them nobody can know here whether they are
 * the published ones.
 */

/** @import { Code, Known, Seen } from './interface.js' */

/** Of each; older ones are forgotten. */
const MOST_REMEMBERED = 20;
/** Looks in a row at which the files do not come before it is an alarm: a bad line or an update may cost one or two. */
const MOST_MISSED = 3;

/**
 * @param {Known | null} known
 * @param {Seen} seen
 * @param {number} at
 * @returns {{ known: Known, news: 'nothing' | 'changed' | 'alarm' }}
 */
export function judge(known, { tree, sha256, isTrue }, at) {
  const before = looked(known, at);
  if (sha256 === null) {
    const missing = { ...before, missed: (before.missed ?? 0) + 1 };
    // Once for each time that it begins.
    return missing.missed === MOST_MISSED ? alarmed(missing, { at, tree, was: null, is: null }) : { known: missing, news: 'nothing' };
  }
  const came = { ...before, missed: 0 };
  const isOther = came.code?.tree === tree && came.code.sha256 !== sha256;
  // What is true stays what it is compared with.
  if (!isTrue || isOther) return alarmed(came, { at, tree, was: isOther ? (came.code?.sha256 ?? null) : null, is: sha256 });
  if (came.code?.tree === tree) return { known: came, news: 'nothing' };
  const code = { tree, sha256 };
  if (came.code === null) return { known: { ...came, code, since: at }, news: 'nothing' };
  return { known: { ...came, code, since: at, changes: first([{ at, from: came.code, to: code }, ...came.changes]) }, news: 'changed' };
}

/** @param {Known | null} known @param {number} at @returns {Known} */
function looked(known, at) {
  if (known === null) return { code: null, since: at, lookedAt: at, changes: [], alarms: [] };
  return { ...known, code: known.code !== null && isTrueCode(known.code) ? known.code : null, lookedAt: at };
}

/** An earlier version took the first files that it saw for the measure, whatever they were. @param {Code} code */
function isTrueCode({ tree, sha256 }) {
  return sha256.startsWith(tree);
}

/** The same files are told once. @param {Known} known @param {Known['alarms'][number]} alarm @returns {{ known: Known, news: 'nothing' | 'alarm' }} */
function alarmed(known, alarm) {
  if (alarm.is !== null && known.alarms.some(({ tree, is }) => tree === alarm.tree && is === alarm.is)) return { known, news: 'nothing' };
  return { known: { ...known, alarms: first([alarm, ...known.alarms]) }, news: 'alarm' };
}

/** @template T @param {T[]} newestFirst */
function first(newestFirst) {
  return newestFirst.slice(0, MOST_REMEMBERED);
}
