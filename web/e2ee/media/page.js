/**
 * The page's end of the media worker: starts it, puts the transforms on, passes on what the server says of seats, and tells whose frames
 * a track shows. Never sees a key: it only carries the port of the key agreement's worker over.
 *
 * Says `source` {track, owner, context}, `keyframe` {sender} (its next picture is to be a whole one) and `fault` (the worker did not load, or
 * has stopped; no frame passes then). One for each stay in a call.
 */

/** @import { FeedKind, Source } from '../../protocol.js' */
/** @import { Report, WorkerMessage } from './interface.js' */

const WORKER = new URL('./worker.js', import.meta.url).href;

/** The only script address that this module ever makes. The page's policy names it, and it is taken as the page starts: what came into the page later cannot have it. */
const types = /** @type {{ trustedTypes?: { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => { createScriptURL: (url: string) => string } } }} */ (globalThis).trustedTypes;
const policy = types?.createPolicy('webcall-media', { createScriptURL: onlyTheWorker }) ?? { createScriptURL: onlyTheWorker };

/** Whether this browser can take part in an encrypted call. */
export function isSupported() {
  return typeof RTCRtpScriptTransform === 'function' && typeof RTCRtpSender === 'function' && 'transform' in RTCRtpSender.prototype;
}

/** @returns {Worker} */
export function startMediaWorker() {
  return new Worker(policy.createScriptURL(WORKER), { type: 'module' });
}

export class MediaShield extends EventTarget {
  #worker;
  #tracks = 0;
  /** @type {Map<string, RTCRtpSender>} */
  #senders = new Map();
  #reports = 0;
  /** @type {Map<number, (report: Report) => void>} */
  #waiting = new Map();

  /**
   * @param {Worker} worker
   * @param {MessagePort} keys from the worker of the key agreement
   */
  constructor(worker, keys) {
    super();
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#take(data);
    worker.onerror = () => this.dispatchEvent(new Event('fault'));
    worker.postMessage({ type: 'keys' }, [keys]);
  }

  /**
   * Seal what this sender sends. Call it straight after `addTransceiver`, before anything is awaited.
   * @param {RTCRtpSender} sender
   * @param {Source} source
   */
  sealing(sender, source) {
    const track = this.#name();
    this.#senders.set(track, sender);
    sender.transform = new RTCRtpScriptTransform(this.#worker, { side: 'send', track, source });
    return track;
  }

  /**
   * Open what this receiver gets. Call it straight after `addTransceiver`, before anything is awaited.
   * @param {RTCRtpReceiver} receiver
   * @param {'audio' | 'video'} kind
   * @returns {string} the track's name
   */
  opening(receiver, kind) {
    const track = this.#name();
    receiver.transform = new RTCRtpScriptTransform(this.#worker, { side: 'receive', track, kind });
    return track;
  }

  /**
   * Who sits there, as the server says.
   * @param {string} track
   * @param {{ owner: string, kind: FeedKind } | null} feed `owner`: the participant
   */
  seat(track, feed) {
    this.#worker.postMessage({ type: 'seat', track, feed });
  }

  /** What has been sealed, opened and refused. `lockOf` says what it means. @returns {Promise<Report>} */
  report() {
    this.#reports += 1;
    const id = this.#reports;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ type: 'report', id });
    });
  }

  /** No frame passes any more. */
  close() {
    this.#worker.terminate();
    this.#waiting.clear();
  }

  #name() {
    this.#tracks += 1;
    return `track-${this.#tracks}`;
  }

  /** @param {WorkerMessage} message */
  #take(message) {
    if (message.type === 'source') {
      this.dispatchEvent(new CustomEvent('source', { detail: { track: message.track, owner: message.owner, context: message.context } }));
      return;
    }
    if (message.type === 'keyframe') {
      const sender = this.#senders.get(message.track);
      if (sender) this.dispatchEvent(new CustomEvent('keyframe', { detail: { sender } }));
      return;
    }
    this.#waiting.get(message.id)?.(message.report);
    this.#waiting.delete(message.id);
  }
}

/** @param {string} url */
function onlyTheWorker(url) {
  if (url !== WORKER) throw new TypeError('not the media worker');
  return url;
}
