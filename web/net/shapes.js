/**
 * Whether what the server says has the form that `protocol.d.ts` declares: what has not is dropped here, once, and nobody behind has to doubt the
 * form of what they hear. A test compares these with the declarations.
 *
 * `string?` may be null, `string??` may be missing, too; `X[]` is a list of X. What is not named here is not looked at: a newer server may say more.
 */

/** @type {Record<string, Record<string, string>>} */
export const PARTS = {
  IceServer: { urls: 'string[]', username: 'string??', credential: 'string??' },
  Participant: { participant: 'string', user: 'string', username: 'string', role: 'string', sources: 'SourceState[]', joined_at: 'number', hand_raised_at: 'number?' },
  SourceState: { source: 'string', muted: 'boolean', forbidden: 'boolean' },
  GroupInfo: { epoch: 'number', group_info: 'string', tree: 'string?' },
  Seat: { seat: 'number', feed: 'SeatFeed?' },
  SeatFeed: { participant: 'string', kind: 'string', csrc: 'number' },
  Entry: { id: 'string', seq: 'number', kind: 'string', sender: 'string', sent_at: 'number', body: 'string?', target: 'string?' },
  Pinned: { message: 'Entry', pinned_by: 'string', pinned_at: 'number' },
  Present: { user: 'string', state: 'string' },
};

/** @type {Record<string, Record<string, string>>} */
export const MESSAGES = {
  welcome: { id: 'number', connection: 'string', resumed: 'boolean', resume_window_s: 'number', ping_interval_s: 'number', ice_servers: 'IceServer[]' },
  ok: { id: 'number' },
  error: { id: 'number', code: 'string', message: 'string' },
  joined: { id: 'number', room: 'string', call: 'string', encryption: 'string', strict: 'boolean', participant: 'string', participants: 'Participant[]', group: 'GroupInfo?' },
  answer: { id: 'number', sdp: 'string' },
  participant_joined: { participant: 'Participant' },
  participant_changed: { participant: 'Participant' },
  participant_left: { participant: 'string', reason: 'string' },
  seats: { seats: 'Seat[]' },
  speakers: { participants: 'string[]' },
  reaction: { participant: 'string', emoji: 'string' },
  media: { state: 'string' },
  ice_servers: { ice_servers: 'IceServer[]' },
  renegotiate: {},
  left_out: { what: 'string' },
  removed: { reason: 'string' },
  room_changed: { room: 'string' },
  posted: { id: 'number', entry: 'Entry' },
  page: { id: 'number', entries: 'Entry[]', first_seq: 'number', last_seq: 'number' },
  pinned: { id: 'number', pins: 'Pinned[]' },
  acted: { id: 'number', entry: 'Entry?' },
  entry: { room: 'string', entry: 'Entry' },
  read: { room: 'string', read_seq: 'number' },
  typing: { room: 'string', user: 'string' },
  presence: { room: 'string', users: 'Present[]' },
  e2ee_keys: { user: 'string' },
  e2ee_commit: { group: 'string', epoch: 'number' },
  e2ee_members: { room: 'string' },
  e2ee_inbox: { device: 'string' },
  e2ee_message: { group: 'string', user: 'string', message: 'string' },
  resync: {},
  drain: { retry_ms: 'number' },
};

/**
 * @param {unknown} said
 * @returns {said is import('../protocol.js').ServerFrame} it has a number and a type, at least
 */
export function isFrame(said) {
  if (typeof said !== 'object' || said === null) return false;
  const { seq, type } = /** @type {Record<string, unknown>} */ (said);
  return Number.isSafeInteger(seq) && typeof type === 'string';
}

/** Of the declared form, or of a type that this client does not know. @param {import('../protocol.js').ServerFrame} frame */
export function isWellFormed(frame) {
  return !Object.hasOwn(MESSAGES, frame.type) || hasFields(frame, MESSAGES[frame.type] ?? {});
}

/** @param {object} value @param {Record<string, string>} fields */
function hasFields(value, fields) {
  return Object.entries(fields).every(([name, kind]) => is(/** @type {Record<string, unknown>} */ (value)[name], kind));
}

/** @param {unknown} value @param {string} kind @returns {boolean} */
function is(value, kind) {
  if (kind.endsWith('[]')) return Array.isArray(value) && value.every((each) => is(each, kind.slice(0, -2)));
  if (kind.endsWith('??')) return value === undefined || is(value, kind.slice(0, -1));
  if (kind.endsWith('?')) return value === null || is(value, kind.slice(0, -1));
  if (kind === 'number') return Number.isFinite(value);
  const part = PARTS[kind];
  return part === undefined ? typeof value === kind : typeof value === 'object' && value !== null && hasFields(value, part);
}
