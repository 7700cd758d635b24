/** The keys as the browser has them: the worker, the clock. Replaced in tests. */

/** @import { Api } from '../../net/api.js' */
/** @import { RoomsStore } from '../rooms.js' */
/** @import { OpenAccount } from './store.js' */

import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { Keys, startKeysWorker } from '../../e2ee/keys/page.js';
import { browserSurroundings } from '../../net/api.js';
import { KeysAccount } from './account.js';
import { Delivery } from './delivery.js';
import { KeyLog } from './log.js';
import { browserPasskeys } from './passkey.js';
import { People } from './people.js';

/**
 * A room is its owner's to open, and a strict conversation theirs whose browser made it: whoever came before would have to let them in.
 * @param {RoomsStore} rooms
 * @param {string} room
 */
export function mayMake(rooms, room) {
  return (rooms.isDirect(room) && !rooms.isStrict(room)) || rooms.find(room)?.role === 'owner' || rooms.namedIn(room).length > 0;
}

/**
 * What groups ask of the user's rooms.
 * @param {RoomsStore} rooms
 */
export function partsOf(rooms) {
  return {
    membersOf: async (/** @type {string} */ room) => (await rooms.details(room)).members.map((member) => member.user),
    invitationsIn: (/** @type {string} */ room) => rooms.invitationsIn(room),
    givenFor: (/** @type {string} */ room) => rooms.givenFor(room),
    isNew: (/** @type {string} */ room) => rooms.isNew(room),
    inside: (/** @type {string} */ room) => rooms.inside(room),
    isStrict: (/** @type {string} */ room) => rooms.isStrict(room),
    foundStrict: (/** @type {string} */ room) => rooms.foundStrict(room),
    made: (/** @type {string} */ room) => rooms.made(room),
    hasMade: (/** @type {string} */ room) => rooms.hasMade(room),
    expectedIn: (/** @type {string} */ room) => rooms.expectedIn(room),
    expect: (/** @type {string} */ room, /** @type {readonly string[]} */ users) => rooms.expect(room, users),
    returningTo: (/** @type {string} */ room) => rooms.returningTo(room),
    settled: (/** @type {string} */ room, /** @type {readonly string[]} */ users) => rooms.settled(room, users),
    shownIn: (/** @type {string} */ room) => rooms.shownIn(room),
    mayMake: (/** @type {string} */ room) => mayMake(rooms, room),
    roomsOf: () => (rooms.rooms ?? []).filter(({ encryption }) => encryption === 'mls').map(({ id }) => id),
  };
}

/**
 * @param {Api} api
 * @param {RoomsStore} rooms
 * @param {string} host of this page, to which passkeys are bound
 * @returns {OpenAccount}
 */
export function openKeys(api, rooms, host) {
  return (user, told) => {
    const [keys, delivery, now] = [new Keys(startKeysWorker), new Delivery(api), () => Date.now()];
    const { exclusively } = browserSurroundings();
    const log = new KeyLog({ keys, delivery, exclusively, now });
    const parts = {
      keys,
      delivery,
      log,
      people: new People(keys, log),
      passkeys: browserPasskeys(host),
      ...partsOf(rooms),
      ownRooms: async () => (await api.call('GET', 'rooms')).rooms.map((/** @type {{ id: string }} */ { id }) => id),
      exclusively,
      pause: (/** @type {number} */ ms) => /** @type {Promise<void>} */ (new Promise((resolve) => setTimeout(resolve, ms))),
      now,
      random: () => Math.random(),
    };
    const account = new KeysAccount(user, parts, told);
    beginAgain(account, parts);
    return account;
  };
}

/** Workers that stop seldom are not of one cause. */
const QUIET_MS = 10 * 60_000;

/**
 * Whoever asks a worker that stopped is refused, and only `begin` starts another: the account begins as it does when something may be otherwise than it
 * knew. Later each time: what stops every worker is not mended by the next.
 * @param {KeysAccount} account
 * @param {{ keys: Keys, pause: (ms: number) => Promise<void>, random: () => number, now: () => number }} parts
 */
function beginAgain(account, { keys, pause, random, now }) {
  let [stops, stopped_ms] = [0, -Infinity];
  let isWaiting = false;
  keys.addEventListener('stopped', async () => {
    if (isWaiting) return;
    isWaiting = true;
    if (now() - stopped_ms > QUIET_MS) stops = 0;
    stopped_ms = now();
    await pause(backoffMs(OUTBOX_BACKOFF, stops++, random()));
    isWaiting = false;
    account.keysChanged(account.user);
  });
}
