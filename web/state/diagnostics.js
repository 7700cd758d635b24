/**
 * The connection test as the page shows it: how far it is, each step's result, the verdict, and whether the report was sent. Says
 * `change` whenever something is different, `step` for each step that begins or ends, `picture` when the echo call's picture comes back.
 *
 * A run does the work (`diagnostics-run.js`); this keeps what it notes after it is over. Touches no DOM.
 */

/** @import { DiagnosticReport, DiagnosticStep, Outcome, StepName } from '../api.js' */
/** @import { Asking, Probes, ShownStep } from './diagnostics-run.js' */
/** @import { Verdict } from './verdict.js' */

import { DiagnosticsRun } from './diagnostics-run.js';
import { judge } from './verdict.js';

/** The order of the page and of the test. @type {readonly StepName[]} */
export const STEPS = ['websocket', 'udp', 'ice_tcp', 'turn_udp', 'turn_tcp', 'turn_tls', 'camera', 'microphone', 'echo'];

/** @typedef {'idle' | 'running' | 'done' | 'stopped' | 'failed'} Phase */
/** @typedef {'no' | 'sending' | 'sent' | 'failed'} Sent */

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
  /** @type {DiagnosticsRun | null} */
  #run = null;

  /**
   * @param {Asking} api
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
    /** @type {DiagnosticsRun} */
    const run = new DiagnosticsRun(this.#api, this.#probes, {
      note: (step) => run === this.#run && this.#note(step),
      show: (track) => run === this.#run && this.#show(track),
    });
    this.#run = run;
    this.#reset('running');
    try {
      await run.all();
    } catch (error) {
      if (run.isStopped) return;
      this.#error = error;
      this.#end('failed');
      return;
    }
    this.#verdict = judge(this.#results());
    this.#end('done');
    await this.#send(run);
  }

  /** Lets go of connections and devices at once. */
  stop() {
    if (this.#phase !== 'running') return;
    this.#run?.stop();
    this.#end('stopped');
  }

  /** Somebody else may sit here next. */
  forget() {
    this.stop();
    this.#reset('idle');
  }

  /** @param {Phase} phase */
  #reset(phase) {
    this.#steps = waitingSteps();
    this.#verdict = null;
    this.#error = null;
    this.#sent = 'no';
    this.#phase = phase;
    this.#changed();
  }

  /** @param {Phase} phase */
  #end(phase) {
    this.#steps = this.#steps.map((step) => (step.state === 'running' ? { name: step.name, state: 'waiting' } : step));
    this.#phase = phase;
    this.#changed();
  }

  /** @returns {DiagnosticStep[]} once each has come to an end */
  #results() {
    return this.#steps.map(({ state, ...step }) => ({ ...step, outcome: /** @type {Outcome} */ (state) }));
  }

  /** @param {DiagnosticsRun} run */
  async #send(run) {
    const { report } = this;
    if (report === null) return;
    this.#sent = 'sending';
    this.#changed();
    const sent = await this.#api.call('POST', 'diagnostics/reports', report).then(
      () => /** @type {const} */ ('sent'),
      () => /** @type {const} */ ('failed'),
    );
    // Another test may have begun meanwhile.
    if (this.#run !== run || this.#sent !== 'sending') return;
    this.#sent = sent;
    this.#changed();
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

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** @returns {ShownStep[]} */
function waitingSteps() {
  return STEPS.map((name) => ({ name, state: 'waiting' }));
}
