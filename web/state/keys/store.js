/**
 * The keys of the signed-in user: this browser's device and the groups it is in, kept in step with the server. Says `change` when the device's
 * standing did, `room` {room} when a room's group did, and `person` {user} when somebody's keys are trusted otherwise than before.
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
        return account.committed(message.group);
      case 'room_changed':
        return account.roomChanged(message.room);
      case 'resync':
        return account.up();
    }
  }
}
