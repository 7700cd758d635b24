/**
 * What this browser remembers of the client's code that it was given, for the settings. The service worker looks and remembers; this reads it. Says `change`
 * after a look, `changed` when it was another than before, and `alarm` when files were not what their address says, or were not given time after time.
 */

/** @import { Known } from '../e2ee/client/interface.js' */
/** @import { News, Service } from '../net/service.js' */

import { known } from '../e2ee/client/kept.js';

export class ClientCode extends EventTarget {
  #service;
  #factory;

  /** @param {Service} service @param {IDBFactory | null} factory */
  constructor(service, factory) {
    super();
    this.#service = service;
    this.#factory = factory;
    service.addEventListener('looked', (event) => {
      const { news } = /** @type {CustomEvent<{ news: News }>} */ (event).detail;
      if (news !== 'nothing') this.dispatchEvent(new Event(news));
      this.dispatchEvent(new Event('change'));
    });
  }

  /** @returns {Promise<Known | null>} null: there was no look yet */
  async read() {
    return this.#factory === null ? null : known(this.#factory).catch(() => null);
  }

  /** Has the service worker look now. False: this browser has none. */
  look() {
    return this.#service.look();
  }
}
