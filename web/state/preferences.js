/**
 * What this browser remembers for the person: language, theme, devices, codec. Lives in localStorage; where that is refused
 * (private windows, full disk) it lives as long as the page. Says `change` {key}.
 */

/** @import { CodecChoice } from '../rtc/codecs.js' */

const PREFIX = 'webcall.';

/**
 * @typedef {object} Values
 * @property {'en' | 'ru' | null} language null: the browser's
 * @property {'light' | 'dark' | null} theme null: the system's
 * @property {CodecChoice} codec
 * @property {string | null} microphone device id; null: any
 * @property {string | null} camera
 * @property {string | null} speaker
 * @property {'on' | 'off'} microphoneState as it was when the last call began
 * @property {'on' | 'off'} cameraState
 * @property {'on' | 'off'} receipts whether others see what was read, where the server cannot
 * @property {string | null} remindOfKeysAfter Unix milliseconds; null: at the next occasion
 */

/** @type {Values} */
const DEFAULTS = {
  language: null,
  theme: null,
  codec: 'automatic',
  microphone: null,
  camera: null,
  speaker: null,
  microphoneState: 'on',
  cameraState: 'on',
  receipts: 'on',
  remindOfKeysAfter: null,
};

/** @type {{ [K in keyof Values]?: readonly string[] }} Values that are not among these are ignored; the others are free text. */
const ALLOWED = {
  language: ['en', 'ru'],
  theme: ['light', 'dark'],
  codec: ['automatic', 'VP8', 'VP9', 'H264', 'AV1'],
  microphoneState: ['on', 'off'],
  cameraState: ['on', 'off'],
  receipts: ['on', 'off'],
};

export class Preferences extends EventTarget {
  #storage;
  /** @type {Map<string, string>} */
  #fallback = new Map();

  /** @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null} storage */
  constructor(storage) {
    super();
    this.#storage = storage;
  }

  /**
   * @template {keyof Values} K
   * @param {K} key
   * @returns {Values[K]}
   */
  get(key) {
    const stored = this.#read(key);
    const allowed = ALLOWED[key];
    if (stored === null || (allowed && !allowed.includes(stored))) return DEFAULTS[key];
    return /** @type {Values[K]} */ (stored);
  }

  /**
   * @template {keyof Values} K
   * @param {K} key
   * @param {Values[K]} value
   */
  set(key, value) {
    if (this.get(key) === value) return;
    this.#write(key, value);
    this.dispatchEvent(new CustomEvent('change', { detail: { key } }));
  }

  /** @param {string} key */
  #read(key) {
    const fallback = this.#fallback.get(key);
    if (fallback !== undefined) return fallback;
    try {
      return this.#storage?.getItem(PREFIX + key) ?? null;
    } catch {
      return null;
    }
  }

  /**
   * @param {string} key
   * @param {string | null} value
   */
  #write(key, value) {
    try {
      if (this.#storage === null) throw new Error('no storage');
      if (value === null) this.#storage.removeItem(PREFIX + key);
      else this.#storage.setItem(PREFIX + key, value);
      this.#fallback.delete(key);
    } catch {
      this.#fallback.set(key, value ?? '');
    }
  }
}

/** The browser's storage, or null where it is refused. */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}
