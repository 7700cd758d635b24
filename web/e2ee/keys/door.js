/**
 * The door of the desk: takes requests one after the other, opens what a request needs, and keeps what it changed before it answers. Several
 * pages of one browser share what is kept: whoever comes to the door finds out whether another has changed it, and reads it again.
 */

/** @import { Answer, Base64, DeskLike, GroupName, MediaKeys, Outcome, OwnRequest, Request, StateStorage } from './interface.js' */

/** States that one request needs opened: two groups and a few more at most. */
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
const OWN = new Set(['load', 'resume', 'open', 'open_state', 'media_keys']);

export class Door {
  #desk;
  #storage;
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

  /** In the open: for a media worker, and nobody else. @param {GroupName} group @returns {Promise<MediaKeys>} */
  async mediaKeys(group) {
    return /** @type {MediaKeys} */ (await this.#alone({ op: 'media_keys', group }));
  }

  /** @param {Request | Extract<OwnRequest, { op: 'media_keys' }>} request */
  #alone(request) {
    return this.#storage.alone(async () => {
      await this.#catchUp();
      return this.#answer(request);
    });
  }

  /** @param {Request | Extract<OwnRequest, { op: 'media_keys' }>} request */
  async #answer(request) {
    const groups = groupsOf(request);
    let outcome = this.#handle(request);
    for (let opened = 0; outcome.error === 'not_open' && opened < MAX_OPENED; opened += 1) {
      if (!(await this.#openNext(outcome.needs ?? null, groups))) break;
      outcome = this.#handle(request);
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
    const name = await this.#read('name');
    const version = await this.#storage.version();
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

  /**
   * The state that the desk named, or else the next group of the request that is kept.
   * @param {string | null} needs
   * @param {GroupName[]} groups
   */
  async #openNext(needs, groups) {
    if (needs !== null) return this.#openState(needs);
    for (let group = groups.shift(); group; group = groups.shift()) {
      if (await this.#open(group)) return true;
    }
    return false;
  }

  /** @param {string} name */
  async #openState(name) {
    const { error } = this.#handle({ op: 'open_state', name, sealed: await this.#read(name) });
    if (error !== undefined) throw new KeysError(error);
    return true;
  }

  /** @param {GroupName} group */
  async #open(group) {
    const sealed = group.kind === 'room' ? await this.#read(`room/${group.id}`) : null;
    if (sealed === null) return false;
    const { error } = this.#handle({ op: 'open', group, sealed });
    if (error !== undefined) throw new KeysError(error);
    return true;
  }

  /** @param {string} name */
  async #read(name) {
    try {
      return await this.#storage.read(name);
    } catch {
      throw new KeysError('storage');
    }
  }

  /** @param {Request | OwnRequest} request @returns {Outcome} */
  #handle(request) {
    return JSON.parse(this.#desk.handle(JSON.stringify(request)));
  }
}

/**
 * Which groups must be open for a request: its own, for a call that is entered its room, and for a message that of its room.
 * @param {Request | OwnRequest} request
 * @returns {GroupName[]}
 */
function groupsOf(request) {
  /** @type {GroupName[]} */
  const groups = 'group' in request ? [request.group] : [];
  if ('room' in request && request.op !== 'seal_segment') groups.push({ kind: 'room', id: request.room });
  if ('stay' in request && request.stay) groups.push({ kind: 'room', id: request.stay.room });
  return groups;
}
