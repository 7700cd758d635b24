/**
 * Keeps what this person switched on and off, what is sent, and what the server was told, the same.
 *
 * Called after anything that may have moved one of the three apart: a toggle, an answer, a return of the connection. It compares and
 * mends, so it may be called at any time and any number of times.
 */

/** @import { Source } from '../protocol.js' */
/** @import { CallEngine } from '../rtc/call.js' */
/** @import { LocalMedia } from './media.js' */

/** @type {readonly Source[]} */
export const SOURCES = ['microphone', 'camera', 'screen', 'screen_audio'];

export class OwnSources {
  #media;
  #tell;
  #refused;
  /** What the server was told last. @type {Map<Source, boolean>} */
  #told = new Map();

  /**
   * @param {LocalMedia} media
   * @param {(source: Source, muted: boolean) => Promise<unknown>} tell
   * @param {(source: Source) => void} refused the server said that a moderator switched this off
   */
  constructor(media, tell, refused) {
    this.#media = media;
    this.#tell = tell;
    this.#refused = refused;
  }

  /** @param {Source} source */
  isOn(source) {
    if (source === 'microphone') return this.#media.microphone.on;
    if (source === 'camera') return this.#media.camera.on;
    return source === 'screen' ? this.#media.screen !== null : Boolean(this.#media.screen?.audio);
  }

  /** What `join` says is off. From here on the server knows that much. @returns {Source[]} */
  enter() {
    this.#told.clear();
    const off = /** @type {Source[]} */ (['microphone', 'camera']).filter((source) => !this.isOn(source));
    this.#told.set('microphone', off.includes('microphone')).set('camera', off.includes('camera'));
    return off;
  }

  /** Switch one off because a moderator did. @param {Source} source */
  forbid(source) {
    this.#told.set(source, true);
    if (source === 'microphone' || source === 'camera') void this.#media.set(source, 'off');
    else this.#media.stopScreen();
  }

  /** What was told may not have arrived. */
  forgetTold() {
    this.#told.clear();
  }

  /** @param {CallEngine} engine */
  send(engine) {
    for (const source of SOURCES) void engine.setTrack(source, this.#track(source)).catch(() => {});
  }

  /** @param {CallEngine} engine */
  report(engine) {
    for (const source of SOURCES) {
      const muted = !this.isOn(source);
      if (!engine.isOffered(source) || this.#told.get(source) === muted) continue;
      this.#told.set(source, muted);
      this.#tell(source, muted).catch((error) => {
        if (error.code === 'muted_by_moderator') this.#refused(source);
        else if (this.#told.get(source) === muted) this.#told.delete(source);
      });
    }
  }

  /**
   * @param {Source} source
   * @returns {MediaStreamTrack | null}
   */
  #track(source) {
    if (source === 'microphone') return this.#media.microphone.track;
    if (source === 'camera') return this.#media.camera.track;
    return (source === 'screen' ? this.#media.screen?.video : this.#media.screen?.audio) ?? null;
  }
}
