/**
 * The media worker: every frame that is sent or shown in an encrypted call comes through here (`RTCRtpScriptTransform`). Only the shell:
 * the clock, the messages and the transforms of a worker, given to `desk.js`.
 */

/** @import { Transformer, WorkerScope } from './interface.js' */

import { Desk } from './desk.js';

const scope = /** @type {WorkerScope} */ (/** @type {unknown} */ (globalThis));

const desk = new Desk({
  now: () => performance.now(),
  post: (message) => scope.postMessage(message),
  later: (act, delay_ms) => void setTimeout(act, delay_ms),
});

scope.onmessage = (/** @type {MessageEvent} */ { data, ports }) => desk.page(data, ports);
scope.onrtctransform = (/** @type {{ transformer: Transformer }} */ { transformer }) => void desk.transform(transformer);
