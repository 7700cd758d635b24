// Somebody in a call who has no key and does not want any: a member of the room with a bare page, who gets what the server forwards, and what
// of it can be seen, heard, decoded and read. What an operator would get from the media ports, and no more.

import { readHeader } from '../../../web/e2ee/media/sframe.js';
import { contextOf, readKid } from '../../../web/e2ee/media/kid.js';
import { codecOf } from '../../../web/e2ee/media/codecs/index.js';
import { installTap, keepFrames } from '../inpage/tap.mjs';
import { PASSWORD } from './party.mjs';

/** What is called like it: of the pixels, or of the energy. By chance neither comes to half of it. */
export const ALIKE = 0.8;
/** So much of both must have come before it is said that nothing was to be seen or heard. */
const ENOUGH = { pictures: 40, sounds: 100 };

/** Of the server's origin, and with nothing of the client on it. */
const PLACE = '/healthz';

const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

export class Tap {
  #server;
  #page;
  #token;
  #kept = [];

  constructor(server, page, token) {
    this.#server = server;
    this.#page = page;
    this.#token = token;
  }

  /** Somebody new; a member of these rooms. */
  static async of(table, rooms) {
    const page = await table.stranger('chromium', { without_policy: true });
    const { access_token: token } = await table.server.register(page.username, PASSWORD);
    for (const room of rooms) await table.server.request('POST', 'rooms/join', { token, body: { code: room.link_code } });
    return new Tap(table.server, page, token);
  }

  /** Its page: what the server forwards stands there in tiles. */
  get page() {
    return this.#page;
  }

  /** Joins a room's call anew. `dump`: keeps every frame; `sends`: sends camera and microphone, unsealed. */
  async join(room, how = {}) {
    this.#kept = [];
    await this.#page.goto(`${this.#server.url}${PLACE}`);
    await this.#page.evaluateSource(`(${installTap})(${JSON.stringify(String(keepFrames))})`);
    await this.#page.evaluate((given) => window.webcallTap.join(given), { ...how, token: this.#token, room: room.id });
    await this.#page.waitFor('media to flow', () => window.webcallTap.isConnected());
  }

  leave() {
    return this.#page.goto(`${this.#server.url}${PLACE}`);
  }

  /** All frames, of whomever, since they were taken last; `bytes`: of each. */
  async takeFrames() {
    const frames = await this.#page.evaluate(() => window.webcallTap.frames());
    return frames.map((frame) => ({ ...frame, bytes: Uint8Array.from(Buffer.from(frame.data, 'base64')) }));
  }

  /** All frames of this person since it joined, once there are so many that `enough` says so; `bytes`: of each. */
  framesOf(person, enough) {
    return this.#frames(`frames of ${person.label}`, ({ username }) => username === person.username, enough);
  }

  /** The same of whoever it was, also where the server has already said that they left. */
  allFrames(enough) {
    return this.#frames('frames', () => true, enough);
  }

  #frames(what, isWanted, enough) {
    return this.#page.until(what, async () => {
      const more = await this.#page.evaluate(() => window.webcallTap.frames());
      this.#kept.push(...more.map((frame) => ({ ...frame, bytes: Uint8Array.from(Buffer.from(frame.data, 'base64')) })));
      const all = this.#kept.filter(isWanted);
      return enough(all) && all;
    });
  }

  /** Waits until the picture and the tone of this person are there. */
  async shows(person) {
    await this.#page.waitFor(`the picture of ${person.label}`, (name, colour, alike) => window.webcallTap.likeness(name, colour) >= alike, [person.username, rgb(person.media.colour), ALIKE]);
    await this.#page.waitFor(`the tone of ${person.label}`, (name, hz, alike) => window.webcallTap.purity(name, hz) >= alike, [person.username, person.media.tone_hz, ALIKE]);
  }

  /** The most that picture and tone were like this person's while much of both came in. */
  async likeness(person) {
    await this.#page.evaluate((...given) => window.webcallTap.watch(...given), person.username, rgb(person.media.colour), person.media.tone_hz);
    return this.#page.waitFor(
      'pictures and sounds to come in',
      ({ pictures, sounds }) => {
        const { watched } = window.webcallTap;
        return watched.pictures >= pictures && watched.sounds >= sounds && watched;
      },
      [ENOUGH],
    );
  }

  /**
   * What decoders make of kept frames, all pictures of one codec: how many there are and how many are like this person's, from nothing and where the
   * decoder runs already, by a keyframe of somebody else; how pure their tone is.
   */
  async decoded(frames, person, keyframe) {
    const of = (kind) => frames.filter((frame) => frame.kind === kind).map(({ type, data }) => ({ type, data }));
    const pictures = (first) => this.#page.evaluate((...given) => window.webcallTap.decodePictures(...given), of('video'), first, keyframe.mimeType, rgb(person.media.colour));
    return {
      video: await pictures(null),
      running: await pictures({ data: keyframe.data }),
      audio: await this.#page.evaluate((...given) => window.webcallTap.decodeSound(...given), of('audio'), person.media.tone_hz),
    };
  }
}

/** What its header says a frame to be, how much stands in the clear before that, and what is sealed; null: it is no frame of a person that is sealed as it must be. */
export function sealedPart({ kind, mimeType, bytes }) {
  const unpacked = codecOf(mimeType)?.unpack(bytes) ?? 'unknown';
  const header = typeof unpacked === 'string' ? null : readHeader(unpacked.sealed);
  const named = header && readKid(header.kid);
  if (named?.context !== contextOf('person', kind)) return null;
  return { ...named, counter: header.counter, clear_bytes: unpacked.clear.length, sealed: unpacked.sealed.subarray(header.bytes.length) };
}

/** Of all these bytes together, in bits a byte. */
export function entropyOf(parts) {
  const counts = new Array(256).fill(0);
  for (const part of parts) for (const byte of part) counts[byte] += 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)), 0);
}
