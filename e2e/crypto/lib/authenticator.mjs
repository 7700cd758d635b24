// A phone with passkeys: what the page asks of WebAuthn, without a browser. What `prf` gives depends on passkey and salt alone, as the standard says.

import { createHmac, randomBytes } from 'node:crypto';

import { KeysRefused } from '../../../web/e2ee/keys/page.js';
import { base64, fromBase64 } from './bytes.mjs';

export class Authenticator {
  #secrets = new Map();

  async isAvailable() {
    return true;
  }

  async create() {
    const id = base64(randomBytes(16));
    this.#secrets.set(id, randomBytes(32));
    return id;
  }

  async evaluate(unlockers) {
    const found = unlockers.find(({ credential }) => this.#secrets.has(credential));
    if (!found) throw new KeysRefused('passkey_cancelled');
    return base64(createHmac('sha256', this.#secrets.get(found.credential)).update(fromBase64(found.salt)).digest());
  }

  /** Its owner deletes all passkeys, in passing. */
  forget() {
    this.#secrets.clear();
  }
}

/** A browser without them. */
export const NO_PASSKEYS = { isAvailable: async () => false };
