/**
 * This person's microphone, camera and shared screen: the tracks, whether each is on, and why one could not be had.
 *
 * Owns every local track and stops it when nobody needs it. Shared by the page before the call and the call. Says `change` {source}.
 * A muted microphone keeps its track (disabled, so that it is back at once); a camera that is off is let go, so that its light goes out.
 */

/** @import { DeviceCode } from '../rtc/devices.js' */
/** @import { Preferences } from './preferences.js' */

import { DeviceError, openDevices, openScreen } from '../rtc/devices.js';

/** @typedef {'microphone' | 'camera'} DeviceName */
/** @typedef {{ on: boolean, track: MediaStreamTrack | null, error: DeviceCode | null }} DeviceState */

export class LocalMedia extends EventTarget {
  #preferences;
  /** @type {Record<DeviceName, DeviceState>} */
  #devices = { microphone: { on: false, track: null, error: null }, camera: { on: false, track: null, error: null } };
  /** @type {{ video: MediaStreamTrack, audio: MediaStreamTrack | null } | null} */
  #screen = null;
  /** Rises with each wish, so that a device that arrives after the wish changed is let go again. */
  #turns = { microphone: 0, camera: 0, screen: 0 };

  /** @param {Preferences} preferences */
  constructor(preferences) {
    super();
    this.#preferences = preferences;
  }

  /** @returns {Readonly<DeviceState>} */
  get microphone() {
    return this.#devices.microphone;
  }

  /** @returns {Readonly<DeviceState>} */
  get camera() {
    return this.#devices.camera;
  }

  get screen() {
    return this.#screen;
  }

  /** Open what was on the last time: both in one question to the person, each alone when that fails. */
  async start() {
    const wanted = /** @type {DeviceName[]} */ (['microphone', 'camera']).filter((name) => this.#preferences.get(`${name}State`) === 'on');
    if (wanted.length === 2) {
      const turns = { ...this.#turns };
      if ((await this.#open(wanted)) === 'opened') return;
      if (wanted.some((name) => this.#turns[name] !== turns[name] + 1)) return;
    }
    for (const name of wanted) await this.#open([name]);
  }

  /**
   * @param {DeviceName} name
   * @param {'on' | 'off'} state
   */
  async set(name, state) {
    this.#preferences.set(`${name}State`, state);
    this.#turns[name] += 1;
    const device = this.#devices[name];
    if (state === 'off') {
      device.on = false;
      if (name === 'camera') this.#release(name);
      else if (device.track) device.track.enabled = false;
    } else if (device.track) {
      device.on = device.track.enabled = true;
    } else {
      await this.#open([name]);
      return;
    }
    this.#changed(name);
  }

  /**
   * Use another microphone or camera, now if it is on.
   * @param {DeviceName} name
   * @param {string} id
   */
  async choose(name, id) {
    this.#preferences.set(name, id);
    const { on, track } = this.#devices[name];
    if (!on && !track) return;
    this.#release(name);
    if (on) await this.#open([name]);
    else this.#changed(name);
  }

  /** Let the person pick a screen and share it. @throws {DeviceError} */
  async shareScreen() {
    if (this.#screen) return;
    const turn = ++this.#turns.screen;
    const screen = await openScreen();
    if (!screen) return;
    if (turn !== this.#turns.screen) {
      stopTracks(screen.video, screen.audio);
      return;
    }
    this.#screen = screen;
    screen.video.addEventListener('ended', () => this.#screen === screen && this.stopScreen());
    this.#changed('screen');
  }

  stopScreen() {
    if (!this.#screen) return;
    stopTracks(this.#screen.video, this.#screen.audio);
    this.#screen = null;
    this.#changed('screen');
  }

  /** Let go of everything. */
  stop() {
    this.#turns.screen += 1;
    this.stopScreen();
    for (const name of /** @type {DeviceName[]} */ (['microphone', 'camera'])) {
      this.#turns[name] += 1;
      this.#release(name);
      this.#devices[name] = { on: false, track: null, error: null };
      this.#changed(name);
    }
  }

  /**
   * @param {DeviceName[]} names
   * @returns {Promise<'opened' | 'failed'>}
   */
  async #open(names) {
    const turns = new Map(names.map((name) => [name, ++this.#turns[name]]));
    const current = () => names.filter((name) => turns.get(name) === this.#turns[name]);
    const { microphone, camera } = { microphone: this.#preferences.get('microphone'), camera: this.#preferences.get('camera') };
    try {
      const tracks = await openDevices(names.includes('microphone') ? { microphone } : null, names.includes('camera') ? { camera } : null);
      for (const name of names) if (!current().includes(name)) stopTracks(tracks[name]);
      for (const name of current()) this.#take(name, tracks[name]);
      return 'opened';
    } catch (error) {
      const code = error instanceof DeviceError ? error.code : 'device_failed';
      for (const name of current()) {
        Object.assign(this.#devices[name], { on: false, error: code });
        this.#changed(name);
      }
      return 'failed';
    }
  }

  /**
   * @param {DeviceName} name
   * @param {MediaStreamTrack | null} track
   */
  #take(name, track) {
    this.#release(name);
    this.#devices[name] = { on: track !== null, track, error: track ? null : 'device_missing' };
    track?.addEventListener('ended', () => {
      if (this.#devices[name].track !== track) return;
      this.#devices[name] = { on: false, track: null, error: 'device_missing' };
      this.#changed(name);
    });
    this.#changed(name);
  }

  /** @param {DeviceName} name */
  #release(name) {
    const device = this.#devices[name];
    const { track } = device;
    device.track = null;
    stopTracks(track);
  }

  /** @param {DeviceName | 'screen'} source */
  #changed(source) {
    this.dispatchEvent(new CustomEvent('change', { detail: { source } }));
  }
}

/** @param {(MediaStreamTrack | null)[]} tracks */
function stopTracks(...tracks) {
  for (const track of tracks) track?.stop();
}
