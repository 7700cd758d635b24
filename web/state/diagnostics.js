/**
 * The connection test: runs its steps one after the other, judges them, and sends the report. Says `change` whenever something is
 * different, `picture` when the echo call's picture comes back.
 *
 * Owns the test call, the devices while it runs, and nothing after it. What needs a network or a device is in `Probes`, so that the
 * order of things is tested without them. Pages follow it; it touches no DOM.
 */

/** @import { DiagnosticPort, DiagnosticReport, DiagnosticStep, Figures, Outcome, StepName, TestCall } from '../api.js' */
/** @import { Enter, Way } from '../rtc/probe.js' */
/** @import { EchoOptions } from '../rtc/echo.js' */
/** @import { RelayKind } from '../rtc/ways.js' */
/** @import { Verdict } from './verdict.js' */

import { isAny, isPassiveTcp, isUdpHost, relaysOf } from '../rtc/ways.js';
import { judge } from './verdict.js';

/** The order of the page and of the test. @type {readonly StepName[]} */
export const STEPS = ['websocket', 'udp', 'ice_tcp', 'turn_udp', 'turn_tcp', 'turn_tls', 'camera', 'microphone', 'echo'];
/** The server takes so many connections into one test call; more ports are tried in further ones. */
const MOST_IN_CALL = 12;
/** @type {readonly RelayKind[]} */
const RELAY_KINDS = ['turn_udp', 'turn_tcp', 'turn_tls'];

/** @typedef {'idle' | 'running' | 'done' | 'stopped' | 'failed'} Phase */
/** @typedef {Omit<DiagnosticStep, 'outcome'> & { state: Outcome | 'waiting' | 'running' }} ShownStep */
/** @typedef {'no' | 'sending' | 'sent' | 'failed'} Sent */

/**
 * @typedef {object} Probes what is tried with network and devices; replaced in tests
 * @property {(signal: AbortSignal) => Promise<void>} greet opens a WebSocket and waits for the greeting; rejects with a `code`
 * @property {(way: Way, enter: Enter, signal: AbortSignal) => Promise<{ port: number, tookMs: number }>} tryWay
 * @property {(name: 'camera' | 'microphone') => Promise<MediaStreamTrack>} openDevice rejects with a `code`
 * @property {() => { camera: MediaStreamTrack, microphone: MediaStreamTrack }} standIns for devices that are not to be had
 * @property {(options: EchoOptions) => Promise<Figures>} echo
 * @property {() => number} now milliseconds
 */

export class DiagnosticsStore extends EventTarget {
  #api;
  #probes;
  #browser;
  /** @type {Phase} */
  #phase = 'idle';
  /** @type {ShownStep[]} */
  #steps = waitingSteps();
  /** @type {Verdict | null} */
  #verdict = null;
  /** @type {unknown} */
  #error = null;
  /** @type {Sent} */
  #sent = 'no';
  /** @type {MediaStreamTrack | null} */
  #picture = null;
  #stopping = new AbortController();
  /** @type {TestCall | null} */
  #call = null;
  /** @type {MediaStreamTrack[]} */
  #tracks = [];

  /**
   * @param {{ call: (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<any> }} api
   * @param {Probes} probes
   * @param {string} browser its name and version
   */
  constructor(api, probes, browser) {
    super();
    this.#api = api;
    this.#probes = probes;
    this.#browser = browser;
  }

  get phase() {
    return this.#phase;
  }

  /** @returns {readonly Readonly<ShownStep>[]} */
  get steps() {
    return this.#steps;
  }

  /** Once it is done. */
  get verdict() {
    return this.#verdict;
  }

  /** Why it could not go on, once it failed. */
  get error() {
    return this.#error;
  }

  /** Whether the operator has the report. */
  get sent() {
    return this.#sent;
  }

  /** What comes back in the echo call. */
  get picture() {
    return this.#picture;
  }

  /** @returns {DiagnosticReport | null} once it is done */
  get report() {
    return this.#verdict && { browser: this.#browser, verdict: this.#verdict.code, steps: this.#results() };
  }

  /** Does nothing while it runs. */
  async start() {
    if (this.#phase === 'running') return;
    this.#stopping = new AbortController();
    this.#steps = waitingSteps();
    this.#verdict = null;
    this.#error = null;
    this.#sent = 'no';
    this.#enter('running');
    const { signal } = this.#stopping;
    try {
      await this.#all(signal);
    } catch (error) {
      if (!signal.aborted) {
        this.#error = error;
        this.#enter('failed');
      }
      return;
    } finally {
      if (!signal.aborted) this.#letGo();
    }
    this.#verdict = judge(this.#results());
    this.#enter('done');
    await this.#send();
  }

  /** Lets go of connections and devices at once. */
  stop() {
    if (this.#phase !== 'running') return;
    this.#stopping.abort();
    this.#letGo();
    this.#steps = this.#steps.map((step) => (step.state === 'running' ? { name: step.name, state: 'waiting' } : step));
    this.#enter('stopped');
  }

  /** @param {AbortSignal} signal */
  async #all(signal) {
    await this.#step('websocket', signal, async () => this.#timed(() => this.#probes.greet(signal)));
    const iceServers = /** @type {RTCIceServer[]} */ ((await this.#ask(signal, 'GET', 'ice-servers')).ice_servers ?? []);
    await this.#step('udp', signal, () => this.#everyPort(signal));
    await this.#beginCall(signal);
    await this.#step('ice_tcp', signal, () => this.#way({ keep: isPassiveTcp, relays: [] }, signal));
    for (const kind of RELAY_KINDS) {
      const relays = relaysOf(iceServers, kind);
      await this.#step(kind, signal, async () => (relays.length > 0 ? this.#way({ keep: isAny, relays }, signal) : { state: 'not_offered' }));
    }
    const devices = { camera: await this.#device('camera', signal), microphone: await this.#device('microphone', signal) };
    await this.#step('echo', signal, () => this.#echo(devices, iceServers, signal));
  }

  /**
   * Runs one step and notes what came of it. A server that is gone, or a session that has ended, ends the whole test.
   * @param {StepName} name
   * @param {AbortSignal} signal
   * @param {() => Promise<Partial<ShownStep>>} act
   */
  async #step(name, signal, act) {
    this.#note({ name, state: 'running' });
    let result;
    try {
      result = { state: /** @type {const} */ ('good'), ...(await act()) };
    } catch (error) {
      signal.throwIfAborted();
      result = failure(error);
    }
    signal.throwIfAborted();
    this.#note({ name, ...result });
  }

  /** @param {AbortSignal} signal */
  async #everyPort(signal) {
    /** @type {DiagnosticPort[]} */
    const ports = [];
    let workers = 1;
    for (let first = 0; first < workers; first += MOST_IN_CALL) {
      ({ workers } = await this.#beginCall(signal));
      const some = Array.from({ length: Math.min(MOST_IN_CALL, workers - first) }, (_, index) => first + index);
      ports.push(...(await Promise.all(some.map((worker) => this.#port(worker, signal)))));
    }
    return { state: ports.every(({ outcome }) => outcome === 'good') ? /** @type {const} */ ('good') : /** @type {const} */ ('bad'), ports };
  }

  /**
   * @param {number} worker
   * @param {AbortSignal} signal
   * @returns {Promise<DiagnosticPort>}
   */
  async #port(worker, signal) {
    try {
      const { port, tookMs } = await this.#probes.tryWay({ keep: isUdpHost, relays: [] }, this.#enterCall(signal, worker), signal);
      return { port, outcome: 'good', took_ms: tookMs };
    } catch (error) {
      signal.throwIfAborted();
      const { port } = /** @type {{ port?: number | null }} */ (error);
      const { state, ...reason } = failure(error);
      return { port: port ?? 0, outcome: state, ...reason };
    }
  }

  /**
   * @param {Way} way
   * @param {AbortSignal} signal
   */
  async #way(way, signal) {
    const { tookMs } = await this.#probes.tryWay(way, this.#enterCall(signal), signal);
    return { took_ms: tookMs };
  }

  /**
   * @param {'camera' | 'microphone'} name
   * @param {AbortSignal} signal
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async #device(name, signal) {
    /** @type {MediaStreamTrack | null} */
    let track = null;
    await this.#step(name, signal, async () => {
      track = await this.#probes.openDevice(name);
      if (signal.aborted) track.stop();
      else this.#tracks.push(track);
      return {};
    });
    return track;
  }

  /**
   * With what stands in for a device that is not to be had. Skipped where nothing gets through anyway.
   * @param {{ camera: MediaStreamTrack | null, microphone: MediaStreamTrack | null }} devices
   * @param {RTCIceServer[]} iceServers
   * @param {AbortSignal} signal
   * @returns {Promise<Partial<ShownStep>>}
   */
  async #echo(devices, iceServers, signal) {
    const ways = /** @type {readonly string[]} */ (['ice_tcp', ...RELAY_KINDS]);
    const isOpen = this.#steps.some(({ name, state, ports }) => (ways.includes(name) && state === 'good') || ports?.some(({ outcome }) => outcome === 'good'));
    if (!isOpen) return { state: 'skipped' };
    const standIns = devices.camera && devices.microphone ? null : this.#probes.standIns();
    if (standIns) this.#tracks.push(standIns.camera, standIns.microphone);
    const tracks = /** @type {{ camera: MediaStreamTrack, microphone: MediaStreamTrack }} */ ({ camera: devices.camera ?? standIns?.camera, microphone: devices.microphone ?? standIns?.microphone });
    await this.#beginCall(signal);
    const picture = (/** @type {MediaStreamTrack} */ track) => this.#show(track);
    return { figures: await this.#probes.echo({ enter: this.#enterCall(signal), iceServers, tracks, picture, signal }) };
  }

  /** Begins a test call; the server ends the one before. @param {AbortSignal} signal @returns {Promise<TestCall>} */
  async #beginCall(signal) {
    const call = /** @type {TestCall} */ (await this.#ask(signal, 'POST', 'diagnostics/calls'));
    this.#call = call;
    return call;
  }

  /**
   * @param {AbortSignal} signal
   * @param {number} [worker]
   * @returns {Enter}
   */
  #enterCall(signal, worker) {
    const path = `diagnostics/calls/${this.#call?.id}/participants`;
    return async (offer) => (await this.#ask(signal, 'POST', path, { ...offer, ...(worker === undefined ? {} : { worker }) })).sdp;
  }

  /**
   * @param {AbortSignal} signal
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {object} [body]
   */
  async #ask(signal, method, path, body) {
    const answer = await this.#api.call(method, path, body);
    signal.throwIfAborted();
    return answer;
  }

  /** @param {() => Promise<void>} act */
  async #timed(act) {
    const startedMs = this.#probes.now();
    await act();
    return { took_ms: Math.round(this.#probes.now() - startedMs) };
  }

  /** @returns {DiagnosticStep[]} once each has come to an end */
  #results() {
    return this.#steps.map(({ state, ...step }) => ({ ...step, outcome: /** @type {Outcome} */ (state) }));
  }

  async #send() {
    this.#sent = 'sending';
    this.#changed();
    try {
      await this.#api.call('POST', 'diagnostics/reports', /** @type {DiagnosticReport} */ (this.report));
      this.#sent = 'sent';
    } catch {
      this.#sent = 'failed';
    }
    this.#changed();
  }

  #letGo() {
    for (const track of this.#tracks.splice(0)) track.stop();
    this.#show(null);
    const call = this.#call;
    this.#call = null;
    // It ends by itself when this does not arrive.
    if (call) this.#api.call('DELETE', `diagnostics/calls/${call.id}`).catch(() => {});
  }

  /** @param {MediaStreamTrack | null} track */
  #show(track) {
    if (this.#picture === track) return;
    this.#picture = track;
    this.dispatchEvent(new Event('picture'));
  }

  /** @param {ShownStep} changed */
  #note(changed) {
    this.#steps = this.#steps.map((step) => (step.name === changed.name ? changed : step));
    this.dispatchEvent(new CustomEvent('step', { detail: changed }));
    this.#changed();
  }

  /** @param {Phase} phase */
  #enter(phase) {
    this.#phase = phase;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** @returns {ShownStep[]} */
function waitingSteps() {
  return STEPS.map((name) => ({ name, state: 'waiting' }));
}

/**
 * What a step's error says of it. Rethrows what is no finding: the server is gone, the session has ended, or the test was refused.
 * @param {unknown} error
 * @returns {{ state: 'not_offered' } | { state: 'bad', reason: string }}
 */
function failure(error) {
  const { code, status } = /** @type {{ code?: unknown, status?: number }} */ (error ?? {});
  if (typeof code !== 'string') return { state: 'bad', reason: 'unexpected' };
  const isFinding = status === undefined || status === 409 || status === 422 || status === 503;
  if (!isFinding || code === 'too_many_test_calls') throw error;
  return code === 'not_offered' ? { state: 'not_offered' } : { state: 'bad', reason: code };
}
