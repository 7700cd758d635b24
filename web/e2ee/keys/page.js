/**
 * The page's end of the key agreement's worker: starts it, asks it, and carries the port of a call's media keys to it. Sees public things
 * and sealed ones only. One for each signed-in user.
 *
 * Says `stopped` when a worker did that had begun: `begin` starts another, which goes on from what is kept. What it had in memory is lost: ports, and the
 * groups of calls.
 */

/** @import { Answer, Base64, PageMessage, Request, Uuid, WorkerMessage } from './interface.js' */

const WORKER = new URL('./worker.js', import.meta.url).href;

/** The only script address that this module ever makes. The page's policy names it, and it is taken as the page starts: what came into the page later cannot have it. */
const types = /** @type {{ trustedTypes?: { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => { createScriptURL: (url: string) => string } } }} */ (globalThis).trustedTypes;
const policy = types?.createPolicy('webcall-keys', { createScriptURL: onlyTheWorker }) ?? { createScriptURL: onlyTheWorker };

/** Workers that one request may cost. */
const MAX_BREAKDOWNS = 2;

/** What the worker refused, by its stable code. */
export class KeysRefused extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** @returns {Worker} */
export function startKeysWorker() {
  return new Worker(policy.createScriptURL(WORKER), { type: 'module' });
}

export class Keys extends EventTarget {
  #start;
  /** @type {Worker} */
  #worker;
  /** Whether it knows whose keys it has. */
  #hasBegun = false;
  /** Whose. @type {Uuid | null} */
  #user = null;
  #asked = 0;
  /** Why there are no answers any more. @type {'worker' | 'closed' | null} */
  #ended = null;
  /** @type {Map<number, { resolve: (message: WorkerMessage) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /** @param {() => Worker} start */
  constructor(start) {
    super();
    this.#start = start;
    this.#worker = this.#started();
  }

  /** The device that this browser has for the user; null: none yet. In the place of a worker that stopped another begins. @param {Uuid} user @returns {Promise<Base64 | null>} */
  async begin(user) {
    if (this.#ended === 'worker') {
      this.#worker = this.#started();
      this.#ended = null;
    }
    this.#user = user;
    const { device } = await this.#send((id) => ({ type: 'begin', id, user }));
    this.#hasBegun = true;
    return device ?? null;
  }

  /**
   * @template {Answer['type']} T
   * @param {Request} request
   * @param {T} type of the answer that fits the request
   * @returns {Promise<Extract<Answer, { type: T }>>} rejects with KeysRefused
   */
  async ask(request, type) {
    const { answer } = await this.#twice((id) => ({ type: 'ask', id, request }));
    if (answer?.type !== type) throw new KeysRefused('unexpected');
    return /** @type {Extract<Answer, { type: T }>} */ (answer);
  }

  /**
   * What a worker broke down over may have been the last straw only, as where memory was short: it is refused once another broke down over it as the first
   * thing that it did.
   * @param {(id: number) => PageMessage} message
   */
  async #twice(message) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#send(message);
      } catch (error) {
        if (!(error instanceof KeysRefused) || error.code !== 'crashed' || this.#user === null) throw error;
        // Also after the last time: what follows from the refusal is asked next.
        await this.begin(this.#user);
        if (tries === MAX_BREAKDOWNS) throw error;
      }
    }
  }

  /**
   * A file for an encrypted room: what the server gets, and what the message says of it.
   * @param {Blob} file
   * @param {{ name: string, type: string }} said
   * @returns {Promise<{ file: Blob, sealed: Base64 }>} rejects with KeysRefused
   */
  async sealFile(file, said) {
    const { file: forServer, sealed } = await this.#send((id) => ({ type: 'seal_file', id, file, said }));
    if (!forServer || !sealed) throw new KeysRefused('unexpected');
    return { file: forServer, sealed };
  }

  /**
   * The very file that was sealed.
   * @param {Blob} file as the server has it
   * @param {Base64} sealed
   * @returns {Promise<Blob>} rejects with KeysRefused
   */
  async openFile(file, sealed) {
    const { file: opened } = await this.#send((id) => ({ type: 'open_file', id, file, sealed }));
    if (!opened) throw new KeysRefused('unexpected');
    return opened;
  }

  /** The other end of this port goes to the media worker. @param {Uuid} call @param {MessagePort} port */
  connect(call, port) {
    this.#worker.postMessage({ type: 'port', call }, [port]);
  }

  /**
   * Passes the keys of an epoch of a call to the media worker: one after the other, however fast they come.
   * @param {Uuid} call
   * @param {'start' | 'join' | 'removal'} because
   * @param {number[]} [removed] leaves whose keys end at once
   * @param {number | null} [epoch] null: the newest
   */
  async passMediaKeys(call, because, removed = [], epoch = null) {
    await this.#send((id) => ({ type: 'media', id, call, because, removed, epoch }));
  }

  /**
   * Keeps what opens messages of this room where no page is open.
   * @param {Uuid} room
   * @param {string} language
   * @param {import('../push/interface.js').NoticeNames} names
   */
  async keepNotices(room, language, names) {
    await this.#send((id) => ({ type: 'notices', id, room, language, names }));
  }

  /** Whoever waits is told, and nothing begins any more. */
  close() {
    this.#end('closed');
  }

  #started() {
    const worker = this.#start();
    worker.onmessage = ({ data }) => worker === this.#worker && this.#take(data);
    // One that was replaced may still say so.
    worker.onerror = () => worker === this.#worker && this.#stopped();
    worker.onmessageerror = () => worker === this.#worker && this.#stopped();
    return worker;
  }

  #stopped() {
    if (this.#ended !== null) return;
    const hadBegun = this.#hasBegun;
    this.#hasBegun = false;
    this.#end('worker');
    if (hadBegun) this.dispatchEvent(new Event('stopped'));
  }

  /** @param {(id: number) => PageMessage} message @returns {Promise<WorkerMessage>} */
  #send(message) {
    if (this.#ended !== null) return Promise.reject(new KeysRefused(this.#ended));
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(message(id));
    });
  }

  /** @param {WorkerMessage} message */
  #take(message) {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message);
    else waiting?.reject(new KeysRefused(message.error));
    if (message.isOver) this.#stopped();
  }

  /** @param {'worker' | 'closed'} code */
  #end(code) {
    this.#ended = code;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new KeysRefused(code));
    this.#waiting.clear();
  }
}

/** @param {string} url */
function onlyTheWorker(url) {
  if (url !== WORKER) throw new TypeError('not the worker of the keys');
  return url;
}
