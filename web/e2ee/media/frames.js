/**
 * The only place where a frame leaves: what comes out of `step` goes on in the frame, and without it the frame ends here. There is no
 * other way from the readable to the writable side, and no state in which there would be one.
 *
 * Read and written by hand: two pipes and a `TransformStream` between them cost Chromium as much again as opening a frame of sound does.
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
  const frames = readable.getReader();
  const out = writable.getWriter();
  try {
    for (let next = await frames.read(); !next.done; next = await frames.read()) await forward(next.value, step, out);
    await out.close();
  } catch (error) {
    await Promise.allSettled([frames.cancel(error), out.abort(error)]);
  }
}

/**
 * @param {EncodedFrame} frame
 * @param {Step} step
 * @param {WritableStreamDefaultWriter<EncodedFrame>} out
 */
async function forward(frame, step, out) {
  const bytes = await step(frame);
  if (bytes === null) return;
  frame.data = bytes;
  await out.write(frame);
}
