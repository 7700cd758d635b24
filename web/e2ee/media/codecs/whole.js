/** Opus and VP9: nothing of the frame is needed in the clear. VP9 has its payload descriptor outside the frame (RFC 9628 §4.2). */

/** @import { Codec } from '../interface.js' */

import { NO_BYTES, concat } from '../bytes.js';

/** @type {Codec} */
export const whole = {
  pack: () => ({ clear: NO_BYTES, wrap: (header, ciphertext) => concat([header, ciphertext]) }),
  unpack: (data) => ({ clear: NO_BYTES, sealed: data }),
};
