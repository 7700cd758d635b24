/**
 * The server writes bytes in base64url without padding and devices as UUIDs (RFC 4648 §5, RFC 9562), the worker of the keys writes both in
 * base64 (RFC 4648 §4). Nothing else translates between them.
 */

/** @import { Base64, GroupName, Uuid } from '../../e2ee/keys/interface.js' */

import { fromBase64, toBase64 } from '../../e2ee/base64.js';

/** The first byte of a group's id, by its kind (`trust/src/mls/group_id.rs`). @type {Record<GroupName['kind'], string>} */
const KINDS = { room: '01', call: '02' };
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** @param {Base64} bytes */
export function toServer(bytes) {
  return bytes.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @param {string} text @returns {Base64} */
export function fromServer(text) {
  return text.replaceAll('-', '+').replaceAll('_', '/').padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** @param {Base64} bytes 16 of them @returns {Uuid} */
export function uuidOf(bytes) {
  return hexOf(bytes).replace(UUID, '$1-$2-$3-$4-$5');
}

/** What the server calls a group. @param {GroupName} group */
export function groupId({ kind, id }) {
  const hex = KINDS[kind] + id.replaceAll('-', '');
  const bytes = Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
  return toServer(toBase64(Uint8Array.from(bytes)));
}

/** @param {string} id as the server calls it @returns {GroupName | null} null: of a kind that is not known here */
export function groupName(id) {
  const hex = hexOf(fromServer(id));
  const uuid = hex.slice(2).replace(UUID, '$1-$2-$3-$4-$5');
  if (hex.startsWith(KINDS.room)) return { kind: 'room', id: uuid };
  return hex.startsWith(KINDS.call) ? { kind: 'call', id: uuid } : null;
}

/** @param {Base64} bytes */
function hexOf(bytes) {
  return Array.from(fromBase64(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
