/** The sound of the call: one <audio> for each seat that was ever used. Says when the browser refuses to play, so that a click can help. */

/** @import { App } from './page.js' */

import { el, listen } from '../ui/dom.js';
import { canChooseSpeaker } from './device-choices.js';

export class SeatAudio {
  #app;
  #blocked;
  /** @type {Map<MediaStreamTrack, HTMLAudioElement>} */
  #players = new Map();

  /**
   * @param {App} app
   * @param {() => void} blocked
   * @param {AbortSignal} signal
   */
  constructor(app, blocked, signal) {
    this.#app = app;
    this.#blocked = blocked;
    this.element = el('div', { hidden: true });
    listen(app.call, 'seats', () => this.#update(), signal);
    listen(app.preferences, 'change', ({ detail }) => detail.key === 'speaker' && this.#useSpeaker(), signal);
    signal.addEventListener('abort', () => this.#clear());
    this.#update();
  }

  /** Try again, from within a click. */
  play() {
    for (const player of this.#players.values()) void player.play().catch(() => {});
  }

  #update() {
    const seats = this.#app.call.engine?.seats.all ?? [];
    const tracks = new Set(seats.map((seat) => seat.audio.receiver.track));
    for (const [track, player] of this.#players) if (!tracks.has(track)) this.#remove(track, player);
    for (const { audio, feed } of seats) {
      const { track } = audio.receiver;
      const player = this.#players.get(track) ?? (feed ? this.#add(track) : null);
      if (!player) continue;
      player.dataset['participant'] = feed?.participant ?? '';
      player.dataset['kind'] = feed?.kind ?? '';
    }
  }

  /** @param {MediaStreamTrack} track */
  #add(track) {
    const player = el('audio', { autoplay: true });
    player.srcObject = new MediaStream([track]);
    this.#players.set(track, player);
    this.element.append(player);
    void this.#setSpeaker(player);
    player.play().catch((error) => error.name === 'NotAllowedError' && this.#blocked());
    return player;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {HTMLAudioElement} player
   */
  #remove(track, player) {
    player.srcObject = null;
    player.remove();
    this.#players.delete(track);
  }

  #clear() {
    for (const [track, player] of this.#players) this.#remove(track, player);
  }

  #useSpeaker() {
    for (const player of this.#players.values()) void this.#setSpeaker(player);
  }

  /** A speaker that is gone falls back to the default one. @param {HTMLAudioElement} player */
  async #setSpeaker(player) {
    const speaker = this.#app.preferences.get('speaker');
    if (canChooseSpeaker()) await player.setSinkId(speaker ?? '').catch(() => {});
  }
}
