// Under which key and which counter each sealed frame is, and what was used twice: of AES-GCM one nonce under one key, for two contents, gives both
// away (NIST SP 800-38D §8).

import { fingerprint } from '../../crypto/lib/call.mjs';
import { sealedPart } from './tap.mjs';

/**
 * The frames with what a member's keys say of each. `owner` and `base`, which is a fingerprint: null where the member has no keys of that leaf and
 * epoch; `named`: the key as the frame itself names it.
 */
export async function usesOf(frames, { epochs }) {
  const known = new Map();
  for (const { epoch, members, member } of epochs) {
    for (const { leaf, owner, base } of members ?? [member]) known.set(`${epoch % 256}/${leaf}`, { owner, base: await fingerprint(base) });
  }
  return frames.map((frame) => {
    const part = sealedPart(frame);
    if (part === null) throw new Error(`a frame of ${frame.mimeType} that is not sealed`);
    const { context, leaf, epoch, counter } = part;
    const { owner, base } = known.get(`${epoch}/${leaf}`) ?? { owner: null, base: null };
    return { frame, owner, base, context, epoch, counter, named: `${leaf}/${epoch}/${context}` };
  });
}

/** What comes with one name and different bytes: a frame that comes again as it was says nothing new. @returns the names, each once */
export function usedTwice(uses, nameOf) {
  const first = new Map();
  const twice = new Set();
  for (const use of uses) {
    const [name, bytes] = [nameOf(use), Buffer.from(use.frame.bytes)];
    if (!first.has(name)) first.set(name, bytes);
    else if (!first.get(name).equals(bytes)) twice.add(name);
  }
  return [...twice];
}
