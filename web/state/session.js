/**
 * Who is signed in in this window. Says `change`: pages follow it, not the other way round.
 *
 * Signing out in one window signs out the others of the same browser; another account signed in there does not take this window over.
 */

/** @import { Grant, SessionRow, User } from '../api.js' */
/** @import { Api } from '../net/api.js' */

import { ApiError } from '../net/api.js';
import { SignedIn } from './signed-in.js';

/** @typedef {'unknown' | 'signed-in' | 'signed-out' | 'unreachable'} Status */
/** @typedef {'session_ended' | 'other_account' | null} Reason */

export class SessionStore extends EventTarget {
  #api;
  #windows;
  #signedIn;
  /** @type {Status} */
  #status = 'unknown';
  /** @type {Reason} */
  #reason = null;

  /**
   * @param {Api} api
   * @param {BroadcastChannel | null} windows the other windows of this browser
   * @param {SignedIn} [signedIn]
   */
  constructor(api, windows, signedIn = new SignedIn(null)) {
    super();
    this.#api = api;
    this.#windows = windows;
    this.#signedIn = signedIn;
    api.addEventListener('signed-out', () => this.#leave('session_ended'));
    api.addEventListener('other-account', (event) => {
      signedIn.enteredElsewhere(/** @type {CustomEvent<User>} */ (event).detail.id);
      this.#become('signed-out', 'other_account');
    });
    windows?.addEventListener('message', ({ data }) => {
      if (data?.kind === 'signed-out' && data.user === this.user?.id) this.#leave('session_ended');
    });
  }

  get status() {
    return this.#status;
  }

  /** Why nobody is signed in, when that was not this person's wish. */
  get reason() {
    return this.#reason;
  }

  /** @returns {User | null} */
  get user() {
    return this.#api.user;
  }

  /** Signed in since this window was, in another one: what this browser keeps of them stays, though nobody is signed in here. @returns {string | null} a user's id */
  get signedInSince() {
    return this.#signedIn.since;
  }

  /** Find out whether this browser is signed in. */
  async restore() {
    this.#signedIn.resume();
    try {
      await this.#api.renew();
      if (this.user !== null) this.#signedIn.resumed(this.user.id);
      this.#become('signed-in', null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.#leave(null);
      else this.#become('unreachable', null);
    }
  }

  /**
   * @param {string} username
   * @param {string} password
   * @param {string} registrationSecret
   */
  async register(username, password, registrationSecret) {
    const body = { username, password, registration_secret: registrationSecret };
    this.#enter(await this.#api.callOpen('POST', 'auth/register', body));
  }

  /**
   * @param {string} username
   * @param {string} password
   */
  async login(username, password) {
    this.#enter(await this.#api.callOpen('POST', 'auth/login', { username, password }));
  }

  /** End this session here and on the server. Without the server it ends here at least. */
  async logout() {
    const user = this.user?.id;
    await this.#api.callOpen('POST', 'auth/logout').catch(() => {});
    if (user !== undefined) this.#signedIn.left(user);
    this.#windows?.postMessage({ kind: 'signed-out', user });
    this.#leave(null);
  }

  /** @returns {Promise<SessionRow[]>} */
  async sessions() {
    return (await this.#api.call('GET', 'me/sessions')).sessions;
  }

  /** @param {string} id */
  async endSession(id) {
    await this.#api.call('DELETE', `me/sessions/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} currentPassword
   * @param {string} newPassword
   */
  async changePassword(currentPassword, newPassword) {
    await this.#api.call('POST', 'me/password', { current_password: currentPassword, new_password: newPassword });
  }

  /** The server ended this session while a socket was open. */
  ended() {
    if (this.#status === 'signed-in') this.#leave('session_ended');
  }

  /** @param {Grant} grant */
  #enter(grant) {
    this.#api.adopt(grant);
    this.#signedIn.entered(grant.user.id);
    this.#become('signed-in', null);
  }

  /** @param {Reason} reason */
  #leave(reason) {
    this.#api.forget();
    this.#become('signed-out', reason);
  }

  /**
   * @param {Status} status
   * @param {Reason} reason
   */
  #become(status, reason) {
    this.#status = status;
    this.#reason = reason;
    this.dispatchEvent(new Event('change'));
  }
}
