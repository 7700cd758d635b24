/**
 * Passkeys as a way back in: WebAuthn's `prf` extension gives the same 32 bytes for the same passkey and salt, to its owner alone. The server takes
 * no part in it; nobody is signed in by them.
 */

/** @import { Base64, UnlockerLook, Uuid } from '../../e2ee/keys/interface.js' */

import { fromBase64, toBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { toServer } from './bytes.js';

/** Whoever looks for a device or a phone needs longer than for a finger. */
const TIMEOUT_MS = 120_000;
/** COSE: EdDSA, ES256, RS256. No signature is ever checked, so any that the authenticator has will do. */
const ALGORITHMS = [-8, -7, -257];
/** Addresses are no names of relying parties (WebAuthn Level 3 §5.1.2). */
const ADDRESS = /^[\d.]+$|:|^\[/;

/** @typedef {{ first: ArrayBuffer }} PrfResults */
/** @typedef {{ prf?: { enabled?: boolean, results?: PrfResults } }} PrfOutputs */

/**
 * What of the browser is used; replaced in tests.
 * @typedef {object} PasskeySurroundings
 * @property {Pick<CredentialsContainer, 'create' | 'get'> | undefined} credentials
 * @property {{ getClientCapabilities?: () => Promise<Record<string, boolean>> } | undefined} kind `PublicKeyCredential`
 * @property {string} host
 * @property {boolean} isSecure
 */

export class Passkeys {
  #with;

  /** @param {PasskeySurroundings} surroundings */
  constructor(surroundings) {
    this.#with = surroundings;
  }

  /** Whether one can be tried here. Of browsers that do not say whether they have `prf` it is found out when one is made. */
  async isAvailable() {
    const { credentials, kind, host, isSecure } = this.#with;
    if (!credentials || !kind || !isSecure || ADDRESS.test(host)) return false;
    const capabilities = await kind.getClientCapabilities?.().catch(() => null);
    return capabilities?.['extension:prf'] !== false;
  }

  /**
   * A new one for this person.
   * @param {Uuid} user
   * @param {string} username as the authenticator shows it
   * @param {readonly Base64[]} known passkeys that are there already
   * @returns {Promise<Base64>} its id; rejects with KeysRefused `passkey_…`
   */
  async create(user, username, known) {
    /** @type {PublicKeyCredentialCreationOptions} */
    const publicKey = {
      rp: { id: this.#with.host, name: 'WebCall' },
      // Of the same user, so that one that was made and never used gives way to the next.
      user: { id: new TextEncoder().encode(user), name: username, displayName: username },
      challenge: random(),
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      excludeCredentials: known.map(described),
      timeout: TIMEOUT_MS,
      extensions: /** @type {AuthenticationExtensionsClientInputs} */ ({ prf: {} }),
    };
    const { id, prf } = await this.#asked((credentials) => credentials.create({ publicKey }));
    if (prf?.enabled !== true) throw new KeysRefused('passkey_no_prf');
    return id;
  }

  /**
   * What one of them gives for its salt; whichever the person has at hand.
   * @param {readonly UnlockerLook[]} unlockers
   * @returns {Promise<Base64>} 32 bytes; rejects with KeysRefused `passkey_…`
   */
  async evaluate(unlockers) {
    /** @type {Record<string, { first: BufferSource }>} */
    const evalByCredential = {};
    /** @type {Base64[]} */
    const ids = [];
    for (const { credential, salt } of unlockers) {
      if (credential === null || salt === null) continue;
      ids.push(credential);
      evalByCredential[toServer(credential)] = { first: fromBase64(salt) };
    }
    /** @type {PublicKeyCredentialRequestOptions} */
    const publicKey = {
      rpId: this.#with.host,
      challenge: random(),
      allowCredentials: ids.map(described),
      userVerification: 'required',
      timeout: TIMEOUT_MS,
      extensions: /** @type {AuthenticationExtensionsClientInputs} */ ({ prf: { evalByCredential } }),
    };
    const { prf } = await this.#asked((credentials) => credentials.get({ publicKey }));
    if (!prf?.results) throw new KeysRefused('passkey_no_prf');
    return toBase64(new Uint8Array(prf.results.first));
  }

  /** @param {(credentials: Pick<CredentialsContainer, 'create' | 'get'>) => Promise<Credential | null>} ask */
  async #asked(ask) {
    const { credentials } = this.#with;
    if (!credentials) throw new KeysRefused('passkey_unsupported');
    const given = await ask(credentials).catch((error) => {
      throw new KeysRefused(codeOf(error));
    });
    if (given === null) throw new KeysRefused('passkey_failed');
    const credential = /** @type {PublicKeyCredential} */ (given);
    const { prf } = /** @type {PrfOutputs} */ (credential.getClientExtensionResults());
    return { id: toBase64(new Uint8Array(credential.rawId)), prf };
  }
}

/** As this browser has them. @param {string} host of this page */
export function browserPasskeys(host) {
  const kind = /** @type {{ PublicKeyCredential?: PasskeySurroundings['kind'] }} */ (globalThis).PublicKeyCredential;
  return new Passkeys({ credentials: navigator.credentials, kind, host, isSecure: globalThis.isSecureContext });
}

/** @param {Base64} id @returns {PublicKeyCredentialDescriptor} */
function described(id) {
  return { type: 'public-key', id: fromBase64(id) };
}

/** The server checks no answer, so it gives no challenge. */
function random() {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** By the names of WebAuthn's exceptions. @param {unknown} error */
function codeOf(error) {
  switch (/** @type {{ name?: string } | null} */ (error)?.name) {
    // Cancelled, or not done in time: browsers do not say which.
    case 'NotAllowedError':
    case 'AbortError':
      return 'passkey_cancelled';
    case 'InvalidStateError':
      return 'passkey_exists';
    case 'NotSupportedError':
    case 'SecurityError':
    case 'ConstraintError':
      return 'passkey_unsupported';
    default:
      return 'passkey_failed';
  }
}
