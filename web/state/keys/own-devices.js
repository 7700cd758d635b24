/** The user's own devices, seen from one of them that counts: which there are, vouching for a new one, revoking one. */

/** @import { Base64, Request, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */
/** @import { KeyLog } from './log.js' */
/** @import { ReadRequest } from './records.js' */

import { fromBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { handOver } from './handover.js';
import { certificateOf, devicesIn, readRequest, shortCode } from './records.js';

/** Devices of a user at once (`trust`, `MAX_DEVICES`): a record that the server will never take must not be made. */
const MAX_DEVICES = 16;
/** Another device may publish something at the same time, this often in a row. */
const MAX_TRIES = 4;

/** `isNew`: it came without this device's doing, and the person has not said that they know it. @typedef {{ id: Base64, added_ms: number, isThis: boolean, isNew: boolean }} OwnDeviceRow */

export class OwnDevices {
  #user;
  #parts;
  #own;

  /**
   * @param {Uuid} user
   * @param {{ keys: Keys, delivery: Delivery, log: Pick<KeyLog, 'learn'>, now: () => number }} parts
   * @param {() => Base64 | null} own this device
   */
  constructor(user, parts, own) {
    this.#user = user;
    this.#parts = parts;
    this.#own = own;
  }

  /** This one first, then the newest. @returns {Promise<OwnDeviceRow[]>} */
  async list() {
    const own = this.#own();
    const devices = devicesIn(await this.#learn());
    const news = new Set(await this.news());
    const rows = devices.map(({ id, added_ms }) => ({ id, added_ms, isThis: id === own, isNew: news.has(id) }));
    return rows.sort((a, b) => Number(b.isThis) - Number(a.isThis) || b.added_ms - a.added_ms);
  }

  /** Devices that came without this one's doing, and of which the person does not know yet; of what was learned. @returns {Promise<Base64[]>} */
  async news() {
    return (await this.#parts.keys.ask({ op: 'new_devices' }, 'new_devices')).devices;
  }

  /** The person knows of these. @param {Base64[]} devices */
  async saw(devices) {
    await this.#parts.keys.ask({ op: 'saw_devices', devices }, 'done');
  }

  /**
   * Of the identity that vouches for this device: all devices of the user show the same. One that a server vouched for, by an identity of its
   * own making, shows another.
   */
  async fingerprint() {
    const { identity } = await this.#parts.keys.ask({ op: 'who' }, 'device');
    return shortCode('identity code', fromBase64(identity));
  }

  /**
   * Whether this device has the identity's key: one that another vouched for has it once it was handed over, or once one of the person's ways back
   * was shown on it.
   */
  async hasIdentity() {
    try {
      // No request is ever empty: what is wrong with this one says how far it came, and nothing is made.
      await this.#parts.keys.ask({ op: 'vouch', request: '', previous: null, now_ms: this.#parts.now() }, 'record');
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'no_identity') return false;
      if (!(error instanceof KeysRefused) || error.code !== 'malformed') throw error;
    }
    return true;
  }

  /**
   * What a person carried over from the new device, with the code to compare.
   * @param {string} text
   * @returns {Promise<ReadRequest>} rejects with KeysRefused `bad_device_request`, `other_user`
   */
  async read(text) {
    const request = await readRequest(text);
    if (request.user !== this.#user) throw new KeysRefused('other_user');
    return request;
  }

  /**
   * The person says that the code is the same there. What the new device needs to vouch for others is with the server before it is vouched for, so
   * that it finds both.
   * @param {ReadRequest} request
   */
  async vouch({ bytes, device, key }) {
    const isIn = (/** @type {Base64[]} */ records) => {
      const devices = devicesIn(records);
      if (devices.some((each) => each.id === device && each.key === key)) return true;
      if (certificateOf(records, device) !== null) throw new KeysRefused('device_reused');
      if (devices.length >= MAX_DEVICES) throw new KeysRefused('too_many_devices');
      return false;
    };
    if (isIn(await this.#learn())) return;
    await handOver(this.#parts, bytes, device);
    await this.#publish(() => ({ op: 'vouch', request: bytes, previous: null, now_ms: this.#parts.now() }), isIn);
  }

  /** For ever. @param {Base64} device another one than this */
  async revoke(device) {
    await this.#publish(
      () => ({ op: 'revoke', device, previous: null, now_ms: this.#parts.now() }),
      (records) => devicesIn(records).every(({ id }) => id !== device),
    );
  }

  /**
   * The next record of one's own: what was overtaken is made anew upon what is there.
   * @param {() => Extract<Request, { op: 'vouch' | 'revoke' }>} request
   * @param {(records: Base64[]) => boolean} isDone nothing is to be done any more; throws where it can never be
   */
  async #publish(request, isDone) {
    const { keys, delivery } = this.#parts;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (isDone(await this.#learn())) return;
      const { record } = await keys.ask(request(), 'record');
      try {
        await delivery.publish(record);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        continue;
      }
      await this.#learn();
      return;
    }
    throw new KeysRefused('out_of_order');
  }

  /** All of one's own records, verified by the worker. */
  async #learn() {
    return (await this.#parts.log.learn(this.#user))?.records ?? [];
  }
}
