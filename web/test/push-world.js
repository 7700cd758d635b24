/** Messages sealed as `web/crypto/src/chat/envelope.rs` describes it, on node's own cryptography: a second way to the same bytes. No test itself. */

import { createCipheriv, createHash, generateKeyPairSync, hkdfSync, randomBytes, sign } from 'node:crypto';

import { uuidOf } from '../e2ee/push/bytes.js';

const label = (name) => Buffer.from(`WebCall 1 ${name}\0`);
const number = (value, bytes) => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigUInt64BE(BigInt(value));
  else buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

/** Someone's device. */
export function makeDevice(leaf, user) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { leaf, user, device: new Uint8Array(randomBytes(16)), deviceKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)), privateKey };
}

/** A room with the key of an epoch. */
export async function makeRoom(devices, epoch = 6) {
  const [id, secret] = [new Uint8Array(randomBytes(16)), new Uint8Array(randomBytes(32))];
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return { id, secret, opening: { room: uuidOf(id), epoch, key, members: devices } };
}

/** `spoil` may change what stands in it, as an attacker with the same keys would. */
export function seal(room, sender, content, { kind = 1, spoil = {} } = {}) {
  const message = randomBytes(16);
  const both = Buffer.from(hkdfSync('sha256', room.secret, Buffer.alloc(0), Buffer.concat([label('message key'), sender.device, message]), 64));
  const text = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const body = Buffer.concat([number(kind, 1), number(5, 8), Buffer.alloc(64), number(9, 8), Buffer.alloc(32), number(spoil.contentLength ?? text.length, 2), text]);
  let padded = 64;
  while (padded < body.length + 65) padded *= 2;
  padded = spoil.padded ?? padded;
  const header = Buffer.concat([Buffer.from([1, 1]), room.id, number(room.opening.epoch, 8), number(sender.leaf, 4), sender.device, message, spoil.commitment ?? both.subarray(32), number(padded + 16, 4)]);
  const signed = Buffer.concat([label('message'), spoil.signedHeader ?? header, createHash('sha256').update(body).digest()]);
  const signature = sign(null, signed, (spoil.signer ?? sender).privateKey);
  const plaintext = Buffer.alloc(padded, 0);
  Buffer.concat([body, signature, Buffer.from([spoil.mark ?? 0x80])]).copy(plaintext);
  const cipher = createCipheriv('aes-256-gcm', both.subarray(0, 32), Buffer.alloc(12)).setAAD(header);
  return new Uint8Array(Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** What a push carries. */
export const pushed = (room, envelope = []) => Buffer.from([1, ...room.id, ...envelope]).toString('base64url');
