/**
 * The only place where a frame leaves: what comes out of `step` goes on in the frame, and without it the frame ends here. There is no
 * other way from the readable to the writable side, and no state in which there would be one.
 */

/** @import { Transformer } from './interface.js' */
/** @import { EncodedFrame } from './interface.js' */

/** @typedef {(frame: EncodedFrame) => Promise<ArrayBuffer | null>} Step never rejects */

/**
 * @param {Transformer} transformer
 * @param {Step} step
 * @returns {Promise<void>} when the track has ended
 */
export async function run({ readable, writable }, step) {
  const sieve = new TransformStream({ transform: (frame, out) => forward(frame, step, out) });
  await readable.pipeThrough(sieve).pipeTo(writable).catch(() => {});
}

/**
 * @param {EncodedFrame} frame
 * @param {Step} step
 * @param {TransformStreamDefaultController<EncodedFrame>} out
 */
async function forward(frame, step, out) {
  const bytes = await step(frame);
  if (bytes === null) return;
  frame.data = bytes;
  out.enqueue(frame);
}
