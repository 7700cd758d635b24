/**
 * The keys of the signed-in user: this browser's device and the groups it is in, kept in step with the server. Says `change` when the device's
 * standing did, `room` {room} when a room's group did, `waiting` {room} when this device waits to be let into one or no longer, `person` {user} when
 * somebody's keys are trusted or verified otherwise than before, `history` {room} when what was written there before this device came may open,
 * `archive` when it is here now, or that of a room stands otherwise than before, `door` {room} when others wait to be let into one or no longer, and `log`
 * when the log of keys was contradicted or the person went on regardless.
 *
 * Starts with the session, once its rooms are known, and ends with it. What cannot be done for want of a connection is done when it is back.
 */

/** @import { Uuid } from '../../e2ee/keys/interface.js' */
/** @import { SignalSocket } from '../../net/socket.js' */
/** @import { ServerMessage } from '../../protocol.js' */
/** @import { RoomsStore } from '../rooms.js' */
/** @import { SessionStore } from '../session.js' */
/** @import { KeysAccount } from './account.js' */

/** @typedef {'off' | 'starting' | 'failed' | import('./own-device.js').Standing} KeysStatus */
/** @typedef {(user: Uuid, told: import('./account.js').Told) => KeysAccount} OpenAccount */

export class KeysStore extends EventTarget {
  #session;
  #rooms;
  #open;
  /** @type {KeysAccount | null} */
  #account = null;
  /** @type {Uuid | null} */
  #user = null;
  /** @type {KeysStatus} */
  #status = 'off';

  /**
   * @param {SignalSocket} socket
   * @param {SessionStore} session
   * @param {RoomsStore} rooms
   * @param {OpenAccount} open
   */
  constructor(socket, session, rooms, open) {
    super();
    this.#session = session;
    this.#rooms = rooms;
    this.#open = open;
    session.addEventListener('change', () => this.#follow());
    rooms.addEventListener('change', () => this.#follow());
    // It may have been heard of before, and was not this user's to open then.
    for (const told of ['named', 'given']) rooms.addEventListener(told, (event) => this.#account?.roomChanged(/** @type {CustomEvent} */ (event).detail.room));
    socket.addEventListener('up', () => this.#account?.up());
    socket.addEventListener('message', (event) => this.#message(/** @type {CustomEvent} */ (event).detail));
  }

  get status() {
    return this.#status;
  }

  /** Null without a device that counts. */
  get account() {
    return this.#status === 'ready' ? this.#account : null;
  }

  /** The page may end: what is put off is done now. */
  hurry() {
    this.#account?.hurry();
  }

  /** What contradicts the log of keys, however this device stands. */
  get logAlarms() {
    return this.#account?.logAlarms ?? [];
  }

  /** The person goes on regardless of what contradicts the log. */
  async acceptLog() {
    await this.#account?.acceptLog();
  }

  /** This device, while another is to vouch for it; else null. */
  get asking() {
    return this.#status === 'unvouched' ? (this.#account?.asking ?? null) : null;
  }

  #follow() {
    const user = this.#session.status === 'signed-in' ? (this.#session.user?.id ?? null) : null;
    if (user !== this.#user) this.#end();
    this.#user = user;
    if (user === null || this.#account !== null) return;
    // Whoever will write to this user needs a key package of this device, whether there is an encrypted room yet or not.
    if (this.#rooms.rooms === null) return;
    this.#become('starting');
    const account = this.#open(user, {
      standing: (standing) => account === this.#account && this.#become(standing),
      room: (room) => account === this.#account && this.dispatchEvent(new CustomEvent('room', { detail: { room } })),
      history: (room) => account === this.#account && this.dispatchEvent(new CustomEvent('history', { detail: { room } })),
      archive: () => account === this.#account && this.dispatchEvent(new Event('archive')),
      waiting: (room) => account === this.#account && this.dispatchEvent(new CustomEvent('waiting', { detail: { room } })),
      door: (room) => account === this.#account && this.dispatchEvent(new CustomEvent('door', { detail: { room } })),
      harm: (room) => account === this.#account && this.dispatchEvent(new CustomEvent('harm', { detail: { room } })),
      log: () => account === this.#account && this.dispatchEvent(new Event('log')),
      person: (user) => account === this.#account && this.dispatchEvent(new CustomEvent('person', { detail: { user } })),
    });
    this.#account = account;
    account.up();
  }

  #end() {
    this.#account?.close();
    this.#account = null;
    this.#become('off');
  }

  /** @param {KeysStatus} status */
  #become(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {ServerMessage} message */
  #message(message) {
    const account = this.#account;
    if (account === null) return;
    switch (message.type) {
      case 'e2ee_keys':
        return account.keysChanged(message.user);
      case 'e2ee_inbox':
        return account.inboxFilled(message.device);
      case 'e2ee_commit':
        return account.committed(message.group, message.epoch);
      case 'e2ee_members':
      case 'room_changed':
        return account.roomChanged(message.room);
      case 'resync':
        return account.up();
    }
  }
}
