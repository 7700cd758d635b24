// The worker of the keys without a browser: the door, the ports and the desk in its WebAssembly are the page's own; only where states are kept
// and how messages travel is of the test. As `web/e2ee/keys/worker.js` does it.

import { Door, KeysError } from '../../../web/e2ee/keys/door.js';
import { openFile, sealFile } from '../../../web/e2ee/keys/files.js';
import { MediaPorts } from '../../../web/e2ee/keys/media-ports.js';
import { builtCrypto } from './built.mjs';

/** What IndexedDB keeps of one user, for as long as the test wants: several workers of one browser may have the same. */
export class KeptStates {
  #key = crypto.getRandomValues(new Uint8Array(32));
  #states = new Map();
  #version = 0;
  #turn = Promise.resolve();

  get key() {
    return this.#key.slice();
  }

  /** As it is now, for another browser that goes its own way. */
  copy() {
    const copy = new KeptStates();
    [copy.#key, copy.#states, copy.#version] = [this.#key.slice(), new Map(this.#states), this.#version];
    return copy;
  }

  async version() {
    return this.#version;
  }

  async read(name) {
    return this.#states.get(name) ?? null;
  }

  async write(kept) {
    for (const { name, sealed } of kept) {
      if (sealed === null) this.#states.delete(name);
      else this.#states.set(name, sealed);
    }
    this.#version += 1;
    return this.#version;
  }

  alone(act) {
    const run = this.#turn.then(act);
    this.#turn = run.then(() => {}, () => {});
    return run;
  }
}

/** Looks to the page like a Worker. */
export class KeysWorker {
  onmessage = () => {};
  #door;
  #ports = new MediaPorts();
  #ended = false;

  constructor(Desk, states) {
    this.#door = new Door(Desk.open(states.key), states);
  }

  postMessage(message, [port] = []) {
    if (message.type === 'port') this.#ports.connect(message.call, port);
    else void this.#answer(message);
  }

  /** A crash: whatever was being done is never heard of. */
  terminate() {
    this.#ended = true;
  }

  async #answer(message) {
    const reply = await this.#act(message).catch((error) => {
      if (!(error instanceof KeysError)) throw error;
      return this.#door.isBroken ? { error: error.code, isOver: true } : { error: error.code };
    });
    if (!this.#ended) this.onmessage({ data: { id: message.id, ...reply } });
  }

  async #act(message) {
    if (message.type === 'begin') return { device: await this.#door.begin() };
    if (message.type === 'ask') return { answer: await this.#door.ask(message.request) };
    const coded = (error) => ({ error: error.message });
    if (message.type === 'seal_file') return sealFile((await builtCrypto()).FileSealer, message.file, message.said).catch(coded);
    if (message.type === 'open_file') return openFile((await builtCrypto()).FileOpener, message.file, message.sealed).catch(coded);
    await this.#ports.pass(await this.#door.mediaKeys({ kind: 'call', id: message.call }), message);
    return {};
  }
}
