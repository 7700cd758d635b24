/**
 * The HTTP API: one function to call it, one error type, and an access token that is renewed without anybody noticing.
 *
 * Keeps the access token in memory only; the refresh cookie is the browser's and never seen here. Two windows of one browser share
 * that cookie, so only one of them renews at a time (Web Locks; where they are missing the server's 15 s of grace covers the race).
 * Knows nothing of pages: it says `signed-out` and `other-account`, the session store decides what follows.
 */

/** @import { Grant, Problem, User } from '../api.js' */

const PREFIX = '/api/v1/';
/** Renew this long before the token ends, so that no request is sent with a token that ends on its way. */
const RENEW_EARLY_MS = 20_000;
/** A request that takes longer is given up, so that no page waits for ever. */
const REQUEST_TIMEOUT_MS = 20_000;
/** The largest file over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;
const REFRESH_LOCK = 'webcall-refresh';

/** Anything that went wrong between the page and the API, with a stable code that the catalogue has a text for. */
export class ApiError extends Error {
  /**
   * @param {string} code
   * @param {number} status 0 when no answer came
   * @param {number | null} [retryAfterS]
   */
  constructor(code, status, retryAfterS = null) {
    super(`${code} (${status})`);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * @typedef {object} Surroundings what the browser gives; replaced in tests
 * @property {typeof globalThis.fetch} fetch
 * @property {() => number} now milliseconds
 * @property {<T>(name: string, act: () => Promise<T>) => Promise<T>} exclusively runs `act` while no other window runs its own
 */

/** @returns {Surroundings} */
export function browserSurroundings() {
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: () => Date.now(),
    exclusively: (name, act) => {
      const { locks } = /** @type {{ locks?: LockManager }} */ (globalThis.navigator);
      return locks ? /** @type {Promise<any>} */ (locks.request(name, act)) : act();
    },
  };
}

export class Api extends EventTarget {
  #surroundings;
  /** @type {{ value: string, endsAtMs: number } | null} */
  #token = null;
  /** @type {User | null} */
  #user = null;
  /** @type {Promise<void> | null} */
  #renewing = null;

  /** @param {Surroundings} surroundings */
  constructor(surroundings = browserSurroundings()) {
    super();
    this.#surroundings = surroundings;
  }

  /** Who is signed in here. @returns {User | null} */
  get user() {
    return this.#user;
  }

  /** Take what register, login or refresh gave. @param {Grant} grant */
  adopt(grant) {
    this.#user = grant.user;
    this.#token = { value: grant.access_token, endsAtMs: this.#surroundings.now() + grant.expires_in * 1000 };
  }

  forget() {
    this.#user = null;
    this.#token = null;
  }

  /**
   * A call that needs nobody signed in.
   * @param {'GET' | 'POST'} method
   * @param {string} path under `/api/v1/`
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  callOpen(method, path, body) {
    return this.#send(method, path, body, null);
  }

  /**
   * A call as the signed-in user. Renews the token when it is about to end or was refused, once.
   * @param {'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} method
   * @param {string} path under `/api/v1/`
   * @param {object} [body]
   * @param {Record<string, string>} [headers] besides those that every call has
   * @returns {Promise<any>} the answer's JSON; undefined for 204
   */
  call(method, path, body, headers = {}) {
    return this.#asUser((token) => this.#send(method, path, body, token, headers));
  }

  /**
   * Sends bytes as the signed-in user.
   * @param {string} path under `/api/v1/`
   * @param {Blob | Uint8Array<ArrayBuffer>} bytes
   * @param {{ signal: AbortSignal, timeoutMs: number }} limits rejects with the signal's reason when it is aborted
   * @returns {Promise<any>} the answer's JSON
   */
  patchBytes(path, bytes, { signal, timeoutMs }) {
    /** @type {(token: string) => Promise<any>} */
    const send = async (token) => {
      const headers = { accept: 'application/json', 'content-type': 'application/octet-stream', authorization: `Bearer ${token}` };
      const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        return await jsonOf(await this.#fetch(path, { method: 'PATCH', headers, body: bytes, signal: either }));
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
    };
    return this.#asUser(send);
  }

  /**
   * Reads bytes as the signed-in user.
   * @param {string} path under `/api/v1/`
   * @returns {Promise<Blob>}
   */
  blob(path) {
    return this.#asUser(async (token) => {
      const response = await this.#fetch(path, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
      if (!response.ok) throw await problemOf(response);
      return response.blob().catch(() => {
        throw new ApiError('network', 0);
      });
    });
  }

  /**
   * Renews the token when it is about to end or was refused, once.
   * @param {(token: string) => Promise<any>} act
   * @returns {Promise<any>}
   */
  async #asUser(act) {
    if (this.#token === null || this.#token.endsAtMs - RENEW_EARLY_MS < this.#surroundings.now()) await this.renew();
    const used = this.#token?.value ?? '';
    try {
      return await act(used);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (this.#token?.value === used) await this.renew();
      return act(this.#token?.value ?? '');
    }
  }

  /** Get a new access token by the refresh cookie. @returns {Promise<void>} */
  renew() {
    this.#renewing ??= this.#surroundings
      .exclusively(REFRESH_LOCK, () => this.#renewNow())
      .finally(() => {
        this.#renewing = null;
      });
    return this.#renewing;
  }

  async #renewNow() {
    /** @type {Grant} */
    let grant;
    try {
      grant = await this.#send('POST', 'auth/refresh', undefined, null);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) this.#signedOut();
      throw error;
    }
    if (this.#user !== null && grant.user.id !== this.#user.id) {
      this.forget();
      this.dispatchEvent(new CustomEvent('other-account', { detail: grant.user }));
      throw new ApiError('other_account', 401);
    }
    this.adopt(grant);
  }

  #signedOut() {
    const wasSignedIn = this.#user !== null;
    this.forget();
    if (wasSignedIn) this.dispatchEvent(new Event('signed-out'));
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {string | null} token
   * @param {Record<string, string>} [more]
   */
  async #send(method, path, body, token, more = {}) {
    /** @type {Record<string, string>} */
    const headers = { accept: 'application/json', ...more };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    return jsonOf(await this.#fetch(path, { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }));
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   * @returns {Promise<Response>}
   */
  async #fetch(path, init) {
    try {
      return await this.#surroundings.fetch(PREFIX + path, { ...init, credentials: 'same-origin', cache: 'no-store' });
    } catch {
      throw new ApiError('network', 0);
    }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<any>}
 */
async function jsonOf(response) {
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined;
  return response.json().catch(() => {
    throw new ApiError('bad_answer', response.status);
  });
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function problemOf(response) {
  const retryAfter = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
  const retryAfterS = Number.isNaN(retryAfter) ? null : retryAfter;
  /** @type {Partial<Problem>} */
  const problem = await response.json().catch(() => ({}));
  const code = typeof problem.code === 'string' ? problem.code : response.status >= 500 ? 'server' : 'bad_answer';
  return new ApiError(code, response.status, retryAfterS);
}
