/**
 * The door of the desk: takes requests one after the other, opens what a request needs, and keeps what it changed before it answers. Several
 * pages of one browser share what is kept: whoever comes to the door finds out whether another has changed it, and reads it again.
 */

/** @import { Answer, Base64, DeskLike, GroupName, MediaKeys, NoticeKeys, Outcome, OwnRequest, Request, StateStorage } from './interface.js' */

/** States that one request needs opened: a group or two and a few more at most. */
const MAX_OPENED = 8;

/** What a request failed with. */
export class KeysError extends Error {
  /** @param {string} code stable */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** What the page never asks for: answers would hold secrets, or states that are not the ones kept. @type {ReadonlySet<string>} */
const OWN = new Set(['load', 'resume', 'open_state', 'media_keys', 'notice_keys']);

/** @typedef {Request | Extract<OwnRequest, { op: 'media_keys' | 'notice_keys' }>} Asked */

export class Door {
  #desk;
  #storage;
  #isBroken = false;
  /** Of what is kept, as the desk knows it. */
  #version = -1;

  /**
   * @param {DeskLike} desk
   * @param {StateStorage} storage
   */
  constructor(desk, storage) {
    this.#desk = desk;
    this.#storage = storage;
  }

  /** The desk broke down (a WebAssembly trap): its memory is in the middle of something, and whatever else would run in it, too. */
  get isBroken() {
    return this.#isBroken;
  }

  /** The device that is kept here, if there is one. @returns {Promise<Base64 | null>} */
  begin() {
    return this.#storage.alone(() => this.#catchUp());
  }

  /**
   * What the page wants; never what only the worker may.
   * @param {Request} request
   * @returns {Promise<Answer>} rejects with a KeysError
   */
  async ask(request) {
    if (OWN.has(request.op)) throw new KeysError('bad_request');
    return this.#alone(request);
  }

  /**
   * In the open: for a media worker, and nobody else.
   * @param {GroupName} group
   * @param {number | null} [epoch] one of the last few; else the newest
   * @returns {Promise<MediaKeys>}
   */
  async mediaKeys(group, epoch = null) {
    return /** @type {MediaKeys} */ (await this.#alone({ op: 'media_keys', group, epoch }));
  }

  /**
   * In the open: to be kept for the service worker as a key that cannot be taken out, and for nobody else.
   * @param {string} room
   * @returns {Promise<NoticeKeys>}
   */
  async noticeKeys(room) {
    return /** @type {NoticeKeys} */ (await this.#alone({ op: 'notice_keys', room }));
  }

  /** @param {Asked} request */
  #alone(request) {
    return this.#storage.alone(async () => {
      await this.#catchUp();
      return this.#answer(request);
    });
  }

  /**
   * The desk says what it needs, again for each request: what another page wrote may have closed the room of a call since.
   * @param {Asked} request
   */
  async #answer(request) {
    let outcome = this.#handle(request, 'crashed');
    for (let opened = 0; outcome.needs != null && opened < MAX_OPENED; opened += 1) {
      await this.#open(outcome.needs);
      outcome = this.#handle(request, 'crashed');
    }
    if (outcome.error !== undefined || !outcome.answer) throw new KeysError(outcome.error ?? 'bad_request');
    if (outcome.keep.length > 0) await this.#keep(outcome);
    return outcome.answer;
  }

  /** @param {Outcome} outcome */
  async #keep({ keep, answer }) {
    const kept = answer?.type === 'device' ? [...keep, { name: 'name', sealed: answer.device }] : keep;
    try {
      this.#version = await this.#storage.write(kept);
    } catch {
      // The desk is ahead of what is kept. What it has now must not be used: it is read again before the next request.
      this.#version = -1;
      throw new KeysError('storage');
    }
  }

  /** Reads what another page has changed. */
  async #catchUp() {
    if (this.#isBroken) throw new KeysError('worker');
    const [name, version] = await Promise.all([this.#read('name'), this.#storage.version().catch(unreadable)]);
    if (version === this.#version) return name;
    const { error } = this.#handle(name === null ? { op: 'resume', asking: await this.#read('asking') } : await this.#load(name));
    if (error !== undefined) throw new KeysError(error);
    this.#version = version;
    return name;
  }

  /** @param {Base64} name @returns {Promise<OwnRequest>} */
  async #load(name) {
    const [device, directory, identity] = await Promise.all(['device', 'directory', 'identity'].map((state) => this.#read(state)));
    if (device == null || directory == null) throw new KeysError('storage');
    return { op: 'load', device_id: name, device, directory, identity: identity ?? null };
  }

  /** @param {string} name */
  async #open(name) {
    const { error } = this.#handle({ op: 'open_state', name, sealed: await this.#read(name) });
    if (error !== undefined) throw new KeysError(error);
  }

  /** @param {string} name */
  async #read(name) {
    return this.#storage.read(name).catch(unreadable);
  }

  /**
   * @param {Request | OwnRequest} request
   * @param {'crashed' | 'failed'} code of a breakdown: over what was asked, or over what is kept
   * @returns {Outcome}
   */
  #handle(request, code = 'failed') {
    try {
      return JSON.parse(this.#desk.handle(JSON.stringify(request)));
    } catch {
      this.#isBroken = true;
      throw new KeysError(code);
    }
  }
}

/** @returns {never} */
function unreadable() {
  throw new KeysError('storage');
}
