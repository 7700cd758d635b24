/**
 * One run of the connection test: its steps one after the other, each with what came of it.
 *
 * Owns the test call and the devices of the run and lets go of them when told. What needs a network or a device is in `Probes`, so that
 * the order of things is tested without them. `DiagnosticsStore` makes one for each start and takes what it notes.
 */

/** @import { DiagnosticPort, Figures, Outcome, StepName, TestCall, DiagnosticStep } from '../api.js' */
/** @import { EchoOptions } from '../rtc/echo.js' */
/** @import { Enter, Way } from '../rtc/probe.js' */
/** @import { RelayKind } from '../rtc/ways.js' */

import { isAny, isPassiveTcp, isUdpHost, relaysOf } from '../rtc/ways.js';

/** The server takes so many connections into one test call; more ports are tried in further ones. */
const MOST_IN_CALL = 12;
/** @type {readonly RelayKind[]} */
const RELAY_KINDS = ['turn_udp', 'turn_tcp', 'turn_tls'];
/** Refusals of the server that say something of the way that was tried: no place, not understood, no time. */
const FINDINGS = [409, 422, 503];

/** @typedef {Omit<DiagnosticStep, 'outcome'> & { state: Outcome | 'waiting' | 'running' }} ShownStep */
/** @typedef {{ call: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<any> }} Asking */

/**
 * @typedef {object} Probes what is tried with network and devices; replaced in tests
 * @property {(signal: AbortSignal) => Promise<void>} greet opens a WebSocket and waits for the greeting; rejects with a `code`
 * @property {(way: Way, enter: Enter, signal: AbortSignal) => Promise<{ port: number, tookMs: number }>} tryWay
 * @property {(name: 'camera' | 'microphone') => Promise<MediaStreamTrack>} openDevice rejects with a `code`
 * @property {() => { camera: MediaStreamTrack, microphone: MediaStreamTrack }} standIns for devices that are not to be had
 * @property {(options: EchoOptions) => Promise<Figures>} echo
 * @property {() => number} now milliseconds
 */

/**
 * @typedef {object} Listener
 * @property {(step: ShownStep) => void} note a step began, or came to an end
 * @property {(track: MediaStreamTrack | null) => void} show the picture of the echo call
 */

export class DiagnosticsRun {
  #api;
  #probes;
  #listener;
  #stopping = new AbortController();
  #signal = this.#stopping.signal;
  /** @type {TestCall | null} */
  #call = null;
  /** @type {MediaStreamTrack[]} */
  #tracks = [];
  /** Whether any way let media through. */
  #isOpen = false;

  /**
   * @param {Asking} api
   * @param {Probes} probes
   * @param {Listener} listener
   */
  constructor(api, probes, listener) {
    this.#api = api;
    this.#probes = probes;
    this.#listener = listener;
  }

  get isStopped() {
    return this.#signal.aborted;
  }

  /** Every step. Rejects when it is stopped, or with what ended it. */
  async all() {
    try {
      await this.#step('websocket', () => this.#greet());
      const iceServers = /** @type {RTCIceServer[]} */ ((await this.#ask('GET', 'ice-servers')).ice_servers ?? []);
      await this.#step('udp', () => this.#everyPort());
      await this.#beginCall();
      await this.#step('ice_tcp', () => this.#way({ keep: isPassiveTcp, relays: [] }));
      for (const kind of RELAY_KINDS) {
        const relays = relaysOf(iceServers, kind);
        await this.#step(kind, async () => (relays.length > 0 ? this.#way({ keep: isAny, relays }) : { state: 'not_offered' }));
      }
      const devices = { camera: await this.#device('camera'), microphone: await this.#device('microphone') };
      await this.#step('echo', async () => (this.#isOpen ? this.#echo(devices, iceServers) : { state: 'skipped' }));
    } finally {
      this.#letGo();
    }
  }

  /** Lets go of connections and devices at once. */
  stop() {
    this.#stopping.abort();
    this.#letGo();
  }

  /**
   * @param {StepName} name
   * @param {() => Promise<Partial<ShownStep>>} act
   */
  async #step(name, act) {
    this.#listener.note({ name, state: 'running' });
    /** @type {Partial<ShownStep>} */
    let result;
    try {
      result = await act();
    } catch (error) {
      this.#signal.throwIfAborted();
      result = failure(error);
    }
    this.#signal.throwIfAborted();
    this.#listener.note({ state: 'good', ...result, name });
  }

  async #greet() {
    const startedMs = this.#probes.now();
    await this.#probes.greet(this.#signal);
    return { took_ms: Math.round(this.#probes.now() - startedMs) };
  }

  /** @returns {Promise<Partial<ShownStep>>} */
  async #everyPort() {
    /** @type {DiagnosticPort[]} */
    const ports = [];
    let workers = 1;
    for (let first = 0; first < workers; first += MOST_IN_CALL) {
      ({ workers } = await this.#beginCall());
      const some = Array.from({ length: Math.min(MOST_IN_CALL, workers - first) }, (_, index) => first + index);
      ports.push(...(await Promise.all(some.map((worker) => this.#port(worker)))));
    }
    return { state: ports.every(({ outcome }) => outcome === 'good') ? 'good' : 'bad', ports };
  }

  /**
   * @param {number} worker
   * @returns {Promise<DiagnosticPort>}
   */
  async #port(worker) {
    try {
      const { port, tookMs } = await this.#probes.tryWay({ keep: isUdpHost, relays: [] }, this.#enterCall(worker), this.#signal);
      this.#isOpen = true;
      return { port, outcome: 'good', took_ms: tookMs };
    } catch (error) {
      this.#signal.throwIfAborted();
      const { state, ...reason } = failure(error);
      return { port: /** @type {{ port?: number | null }} */ (error).port ?? 0, outcome: state, ...reason };
    }
  }

  /** @param {Way} way */
  async #way(way) {
    const { tookMs } = await this.#probes.tryWay(way, this.#enterCall(), this.#signal);
    this.#isOpen = true;
    return { took_ms: tookMs };
  }

  /**
   * @param {'camera' | 'microphone'} name
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async #device(name) {
    /** @type {MediaStreamTrack | null} */
    let track = null;
    await this.#step(name, async () => {
      track = await this.#probes.openDevice(name);
      // The person may have stopped the test before they allowed it.
      if (this.isStopped) track.stop();
      else this.#tracks.push(track);
      return {};
    });
    return track;
  }

  /**
   * With what stands in for a device that is not to be had.
   * @param {{ camera: MediaStreamTrack | null, microphone: MediaStreamTrack | null }} devices
   * @param {RTCIceServer[]} iceServers
   */
  async #echo({ camera, microphone }, iceServers) {
    await this.#beginCall();
    const tracks = camera && microphone ? { camera, microphone } : this.#standIn(camera, microphone);
    const options = { enter: this.#enterCall(), iceServers, tracks, picture: this.#listener.show, signal: this.#signal };
    return { figures: await this.#probes.echo(options) };
  }

  /**
   * @param {MediaStreamTrack | null} camera
   * @param {MediaStreamTrack | null} microphone
   */
  #standIn(camera, microphone) {
    const made = this.#probes.standIns();
    this.#tracks.push(made.camera, made.microphone);
    return { camera: camera ?? made.camera, microphone: microphone ?? made.microphone };
  }

  /** Begins a test call; the server ends the one before. @returns {Promise<TestCall>} */
  async #beginCall() {
    const call = /** @type {TestCall} */ (await this.#ask('POST', 'diagnostics/calls'));
    this.#call = call;
    return call;
  }

  /**
   * @param {number} [worker]
   * @returns {Enter}
   */
  #enterCall(worker) {
    const path = `diagnostics/calls/${this.#call?.id}/participants`;
    return async (offer) => (await this.#ask('POST', path, { ...offer, ...(worker === undefined ? {} : { worker }) })).sdp;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {object} [body]
   */
  async #ask(method, path, body) {
    const answer = await this.#api.call(method, path, body);
    this.#signal.throwIfAborted();
    return answer;
  }

  #letGo() {
    for (const track of this.#tracks.splice(0)) track.stop();
    this.#listener.show(null);
    const call = this.#call;
    this.#call = null;
    // It ends by itself when this does not arrive.
    if (call) this.#api.call('DELETE', `diagnostics/calls/${call.id}`).catch(() => {});
  }
}

/**
 * What a step's error says of it. Rethrows what is no finding: the server is gone, the session has ended, or the test was refused.
 * @param {unknown} error
 * @returns {{ state: 'not_offered' } | { state: 'bad', reason: string }}
 */
function failure(error) {
  const { code, status } = /** @type {{ code?: unknown, status?: number }} */ (error ?? {});
  if (typeof code !== 'string') return { state: 'bad', reason: 'unexpected' };
  const isFinding = status === undefined || FINDINGS.includes(status);
  if (!isFinding || code === 'too_many_test_calls') throw error;
  return code === 'not_offered' ? { state: 'not_offered' } : { state: 'bad', reason: code };
}
