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

/** How a cut is felt: at once, since a router refuses and connections break; or not at all, since a line went dead and everything waits. */
const CUTS = { refused: 'reject with tcp reset', dead: 'drop' };

/**
 * The line to what matches is cut and mended while `body` runs, by the bytes that went over it and not by the clock: what is sent then stays
 * half sent for as long as a test looks at it, on a slow machine too.
 * @param {(line: Line) => Promise<void>} body
 */
export async function withLine(match, body) {
  assert.notEqual(ADDRESS, null, 'needs a network of its own: e2e/lib/in-own-network');
  const chain = (name, priority) => `add chain inet line ${name} { type filter hook output priority ${priority}; }`;
  await nft(['add table inet line', chain('cut', 0), chain('passed', 1), `add rule inet line passed ${match} counter`].join('; '));
  try {
    await body(new Line(match));
  } finally {
    await nft('delete table inet line');
  }
}

/** How long a line may take to carry what it is to carry. Longer than the server waits for more of a request whose connection died. */
const CUT_BOUND_MS = 60_000;

class Line {
  #match;

  constructor(match) {
    this.#match = match;
  }

  /** Cuts it once so many more bytes have passed. What was cut before is mended. */
  async cutAfter(bytes, how) {
    await nft(`flush chain inet line cut; add rule inet line cut ${this.#match} quota over ${bytes} bytes counter ${CUTS[how]}`);
  }

  /** Waits until something did not pass. */
  async isCut() {
    const end_ms = Date.now() + CUT_BOUND_MS;
    while ((await this.#counted('cut', 'packets')) === 0) {
      assert.ok(Date.now() < end_ms, `nothing was cut off in ${CUT_BOUND_MS} ms; ${await this.passed()} bytes passed`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async mend() {
    await nft('flush chain inet line cut');
  }

  /** How many bytes have passed in all. */
  passed() {
    return this.#counted('passed', 'bytes');
  }

  async #counted(chain, what) {
    const { stdout } = await nft(`list chain inet line ${chain}`);
    return Number(new RegExp(`counter .*${what} (\\d+)`).exec(stdout)?.[1] ?? 0);
  }
}

export function nft(command) {
  return run('nft', [command], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
}
