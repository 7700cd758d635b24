/** What comes into the worker, checked: a message that is not whole is refused as a whole. */

/** @import { Because, EpochMessage, KeyMessage, Member, OwnKeys, PageMessage, TransformOptions } from './interface.js' */

import { CONTEXTS, MAX_LEAF } from './kid.js';

/** Identifiers are UUIDs; track names and sessions are as short. */
const MAX_NAME = 64;
/** People in one call: several times what a call of this server holds. */
const MAX_MEMBERS = 1_024;
const CALL_BYTES = 16;
/** @type {readonly Because[]} */
const BECAUSES = ['start', 'join', 'removal'];

/** @typedef {Record<string, unknown>} Fields */

/** @param {unknown} message @returns {PageMessage | null} */
export function readPageMessage(message) {
  const fields = fieldsOf(message);
  if (fields.type === 'keys') return { type: 'keys' };
  if (fields.type === 'report' && isCount(fields.id)) return { type: 'report', id: fields.id };
  if (fields.type !== 'seat' || !isName(fields.track)) return null;
  if (fields.feed === null) return { type: 'seat', track: fields.track, feed: null };
  const { owner, kind } = fieldsOf(fields.feed);
  return isName(owner) && (kind === 'person' || kind === 'screen') ? { type: 'seat', track: fields.track, feed: { owner, kind } } : null;
}

/** @param {unknown} message @returns {KeyMessage | null} */
export function readKeyMessage(message) {
  const fields = fieldsOf(message);
  if (!isCount(fields.epoch)) return null;
  if (fields.type === 'epoch') return readEpoch(fields, fields.epoch);
  const member = readMember(fields.member);
  return fields.type === 'member' && member ? { type: 'member', epoch: fields.epoch, member } : null;
}

/** @param {unknown} options @returns {TransformOptions | null} */
export function readOptions(options) {
  const { side, track, source, kind } = fieldsOf(options);
  if (!isName(track)) return null;
  const context = CONTEXTS.find((each) => each === source);
  if (side === 'send' && context) return { side, track, source: context };
  return side === 'receive' && (kind === 'audio' || kind === 'video') ? { side, track, kind } : null;
}

/**
 * @param {Fields} fields
 * @param {number} epoch
 * @returns {EpochMessage | null}
 */
function readEpoch(fields, epoch) {
  const { call, removed } = fields;
  const because = BECAUSES.find((each) => each === fields.because);
  const own = readOwn(fields.own);
  const members = Array.isArray(fields.members) && fields.members.length <= MAX_MEMBERS ? fields.members.map(readMember) : [null];
  const isCall = call instanceof Uint8Array && call.buffer instanceof ArrayBuffer && call.length === CALL_BYTES;
  if (!because || !own || !isCall || !Array.isArray(removed) || !removed.every(isLeaf)) return null;
  if (!members.every((member) => member !== null)) return null;
  return { type: 'epoch', call: new Uint8Array(call), epoch, because, own, members, removed };
}

/** @param {unknown} value @returns {OwnKeys | null} */
function readOwn(value) {
  const { leaf, base } = fieldsOf(value);
  return isLeaf(leaf) && isBase(base) ? { leaf, base } : null;
}

/** @param {unknown} value @returns {Member | null} */
function readMember(value) {
  const { leaf, owner, session, base } = fieldsOf(value);
  return isLeaf(leaf) && isName(owner) && isName(session) && isBase(base) ? { leaf, owner, session, base } : null;
}

/** @param {unknown} value @returns {Fields} */
function fieldsOf(value) {
  return typeof value === 'object' && value !== null ? /** @type {Fields} */ (value) : {};
}

/** @param {unknown} value @returns {value is string} */
function isName(value) {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** @param {unknown} value @returns {value is number} */
function isLeaf(value) {
  return isCount(value) && value <= MAX_LEAF;
}

// Keys, not bytes: what derives them hands over nothing that could be read out of this worker.
/** @param {unknown} value @returns {value is CryptoKey} */
function isBase(value) {
  const isKey = value instanceof CryptoKey && value.algorithm.name === 'HKDF' && !value.extractable;
  return isKey && value.usages.includes('deriveKey') && value.usages.includes('deriveBits');
}
