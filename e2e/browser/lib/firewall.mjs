// Packet filters in the test's own network: what a hotel, an office or a phone company lets through.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { ADDRESS } from './server.mjs';

const run = promisify(execFile);

/** Every datagram. */
export const ALL_UDP = 'meta l4proto udp';
/** A STUN message behind its length, which is how ICE begins over TCP (RFC 4571): its cookie stands at the seventh byte. */
export const ICE_TCP = 'meta l4proto tcp @ih,48,32 0x2112a442';
/** A STUN message as it is: TURN over TCP without TLS. */
export const TURN_TCP = 'meta l4proto tcp @ih,32,32 0x2112a442';

/** Drops what matches while `body` runs. */
export async function withoutPackets(matches, body) {
  assert.notEqual(ADDRESS, null, 'needs a network of its own: e2e/lib/in-own-network');
  const rules = matches.map((match) => `add rule inet cut sent ${match} drop`);
  await nft(['add table inet cut', 'add chain inet cut sent { type filter hook output priority 0; }', ...rules].join('; '));
  try {
    await body();
  } finally {
    await nft('delete table inet cut');
  }
}

export function nft(command) {
  return run('nft', [command], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
}
