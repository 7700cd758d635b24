/**
 * What a sender encodes, changed by one after the other: in Chromium a change that is on its way makes one fail that was begun meanwhile, and what it
 * would have said were lost.
 */

/** @type {WeakMap<RTCRtpSender, Promise<void>>} */
const changing = new WeakMap();

/**
 * A change that the browser refuses is none.
 * @param {RTCRtpSender} sender
 * @param {(parameters: RTCRtpSendParameters) => RTCSetParameterOptions | null} change changes them where they stand; null: they are right as they are
 * @returns {Promise<void>}
 */
export function changeParameters(sender, change) {
  const next = (changing.get(sender) ?? Promise.resolve()).then(async () => {
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    const options = change(parameters);
    if (options !== null) await sender.setParameters(parameters, options);
  }).catch(() => {});
  changing.set(sender, next);
  return next;
}

/**
 * A whole picture of each layer, as soon as there is a picture to encode (WebRTC Extensions, `RTCSetParameterOptions`). Not made where the browser does
 * not know how: whoever lacks one asks.
 * @param {RTCRtpSender} sender
 */
export function makeKeyframe(sender) {
  return changeParameters(sender, ({ encodings }) => /** @type {RTCSetParameterOptions} */ ({ encodingOptions: encodings.map(() => ({ keyFrame: true })) }));
}
