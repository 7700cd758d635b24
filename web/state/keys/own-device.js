/**
 * This browser's own device: made at the first log-in of a user, published, and kept in stock with key packages, so that others can add it to
 * their groups while it is away. A user who has devices already lets one of them vouch for this one, or shows a recovery code.
 */

/** @import { Base64, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */
/** @import { KeyLog } from './log.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { receive } from './handover.js';
import { isFinal } from './group.js';
import { askingHere } from './new-device.js';
import { PUBLISHING } from './parts.js';
import { isRefusal } from './passing.js';
import { certificateOf, devicesIn } from './records.js';

/** One-time key packages that wait at the server: new ones are made when half of them are used. */
const STOCK = 50;

/** @typedef {Parameters<Delivery['leave']>[1]} KeyPackages */
/** @typedef {import('./parts.js').Parts['exclusively']} Exclusively */

/**
 * `ready`; `unvouched`: the user has other devices, and none of them vouches for this one yet; `out`: this device counts no more, as it was
 * revoked or its identity replaced.
 * @typedef {'ready' | 'unvouched' | 'out'} Standing
 */

export class OwnDevice {
  #exclusively;
  #keys;
  #delivery;
  #log;
  #user;
  #now;
  /** @type {Base64 | null} */
  #id = null;
  /** Devices of the user that count. */
  #count = 0;
  /** Key packages that the server has not taken yet, as far as is known. @type {KeyPackages | null} */
  #made = null;
  #isClockWrong = false;
  /** Whether it was looked for what the device that vouched for this one handed over. */
  #hasReceived = false;

  /**
   * @param {{ keys: Keys, delivery: Delivery, log: Pick<KeyLog, 'learn'>, exclusively: Exclusively }} parts
   * @param {Uuid} user
   * @param {() => number} now
   */
  constructor({ keys, delivery, log, exclusively }, user, now) {
    this.#exclusively = exclusively;
    this.#keys = keys;
    this.#delivery = delivery;
    this.#log = log;
    this.#user = user;
    this.#now = now;
  }

  /** Null before it is made. */
  get id() {
    return this.#id;
  }

  /** The server's is another: nobody can bring this device in. Found out once for all, so the page is to be loaded again. */
  get isClockWrong() {
    return this.#isClockWrong;
  }

  /** Whether the user has more devices than this one, as of the last `open`. */
  get hasOthers() {
    return this.#count > 1;
  }

  /** Finds out how this device stands, and does what it can do about it. May be called again. @returns {Promise<Standing>} */
  async open() {
    const id = await this.#exclusively(PUBLISHING, () => this.#begin());
    if (id === null) return 'unvouched';
    try {
      // With the proof that it is in the log, one's own too.
      const learned = await this.#log.learn(this.#user);
      this.#count = devicesIn(learned?.records ?? []).length;
      await this.restock();
      await this.#receive(id);
    } catch (error) {
      if (countsNoMore(error)) return 'out';
      throw error;
    }
    return 'ready';
  }

  /** @returns {Promise<Base64 | null>} null: nobody vouches for this device */
  async #begin() {
    this.#id = await this.#keys.begin(this.#user);
    const published = await this.#delivery.chain(this.#user);
    if (this.#id === null && published.length > 0) {
      this.#id = await this.#certified(published);
      if (this.#id === null) return null;
    }
    if (this.#id === null) {
      this.#id = (await this.#keys.ask({ op: 'first', user: this.#user, now_ms: this.#now() }, 'device')).device;
    }
    return (await this.#publish(published)) ? this.#id : null;
  }

  /** Another device may have vouched for the one that asks here. @param {Base64[]} published @returns {Promise<Base64 | null>} */
  async #certified(published) {
    const asking = await askingHere(this.#keys);
    const record = asking && certificateOf(published, asking.device);
    if (record === null) return null;
    try {
      return (await this.#keys.ask({ op: 'certified', record }, 'device')).device;
    } catch (error) {
      // For another key under this name: it is nobody's word for this device.
      if (isRefusal(error)) return null;
      throw error;
    }
  }

  /**
   * What a crash kept from being published follows what is there.
   * @param {Base64[]} published
   * @returns {Promise<boolean>} false: another device was faster, and this one is none
   */
  async #publish(published) {
    const { records } = await this.#keys.ask({ op: 'who' }, 'device');
    const missing = records.filter((record) => !published.includes(record));
    try {
      for (const record of missing) await this.#delivery.publish(record);
    } catch (error) {
      if (!(error instanceof ApiError) || !isFinal(error)) throw error;
      if (await this.#stepBack()) return false;
      // Another page of this browser did it: what is there says.
      if (error.status !== 409) throw error;
    }
    return true;
  }

  /** Where others have gone on without this device, which was never published: it begins again as one that nobody vouches for. @returns {Promise<boolean>} whether it did */
  async #stepBack() {
    const records = await this.#delivery.chain(this.#user);
    if (records.length === 0) return false;
    try {
      await this.#keys.ask({ op: 'step_back', records }, 'done');
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'other_device') return false;
      throw error;
    }
    this.#id = null;
    return true;
  }

  /** It is there before this device counts, so once is enough. @param {Base64} device */
  async #receive(device) {
    if (this.#hasReceived) return;
    try {
      await receive({ keys: this.#keys, delivery: this.#delivery }, device);
      this.#hasReceived = true;
    } catch (error) {
      // What this device can do without it does not wait.
      if (!(error instanceof ApiError) || error.status !== 429) throw error;
    }
  }

  /** Makes key packages for those that were used. */
  async restock() {
    const device = this.#id;
    if (device === null || this.#isClockWrong) return;
    const { oneTime, lastResort } = await this.#delivery.stock(device);
    if (oneTime > STOCK / 2 && lastResort) return;
    // What may not have arrived is left again: new ones each time would take the places of those that wait at the server, and of welcomes to them.
    const made = (this.#made ??= await this.#make(oneTime, lastResort));
    try {
      await this.#delivery.leave(device, made);
      this.#made = null;
    } catch (error) {
      const code = error instanceof ApiError ? error.code : '';
      this.#isClockWrong = code === 'lifetime';
      if (this.#isClockWrong || code === 'key_package_reused') this.#made = null;
      if (!this.#isClockWrong) throw error;
    }
  }

  /** @param {number} oneTime those that wait at the server @param {boolean} lastResort */
  async #make(oneTime, lastResort) {
    await this.#keys.ask({ op: 'forget_expired', now_ms: this.#now() }, 'done');
    return this.#keys.ask({ op: 'key_packages', count: STOCK - Math.min(oneTime, STOCK), last_resort: !lastResort }, 'key_packages');
  }
}

/** @param {unknown} error */
function countsNoMore(error) {
  if (error instanceof KeysRefused) return error.code === 'identity_changed';
  return error instanceof ApiError && error.code === 'unknown_device';
}
