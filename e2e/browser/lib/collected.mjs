// Whatever a server keeps, says, gets and gives, for `e2e/lib/canaries.mjs` to look through: its data folder, its log, and all that pages and it say to
// each other.

import { filesIn } from '../../lib/canaries.mjs';

/** How a party starts whose server says all that an operator can have it say. */
export const TALKATIVE = { env: { RUST_LOG: 'trace' }, whole_log: true };

/** `traffic`: of each page, what `listenIn` gave. @returns {Promise<{ place: string, bytes: Uint8Array }[]>} */
export async function collected(server, traffic) {
  return [
    ...filesIn(server.data).map(({ place, bytes }) => ({ place: `data folder: ${place.replace(/^files\/.*/, 'files')}`, bytes })),
    { place: 'log', bytes: server.wholeLog() },
    ...(await Promise.all(traffic.map((all) => all()))).flat(),
  ];
}
