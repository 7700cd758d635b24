/**
 * What groups are made with, and the orders in which their members act.
 *
 * @typedef {import('../../e2ee/keys/interface.js').Uuid} Uuid
 *
 * @typedef {{ code: string, shows: { user: Uuid, invitation: import('../../e2ee/keys/interface.js').Base64 }[] }} Invitations
 *
 * @typedef {object} Parts
 * @property {import('../../e2ee/keys/page.js').Keys} keys
 * @property {import('./delivery.js').Delivery} delivery
 * @property {import('./log.js').KeyLog} log
 * @property {import('./people.js').People} people
 * @property {import('./passkey.js').Passkeys} passkeys
 * @property {(room: Uuid) => Promise<Uuid[]>} membersOf a room, as the server tells them
 * @property {(room: Uuid) => boolean} isStrict whether whoever the server says is a member of a room comes into its group by a person's word alone
 * @property {(room: Uuid) => void} foundStrict its group says so, whatever the server does
 * @property {(room: Uuid) => void} made by this device: the group of a room that had none
 * @property {(room: Uuid) => boolean} hasMade whether it was
 * @property {(room: Uuid) => readonly Uuid[]} expectedIn a conversation that the person made here: whom they named, in a strict one if this device made its group
 * @property {(room: Uuid) => Promise<Invitations>} invitationsIn what members of a room show of the link that they were given, as the server tells them
 * @property {(room: Uuid) => import('../../e2ee/keys/interface.js').Base64 | null} givenFor a room: what stood in the link by which this user came, until this device is inside
 * @property {(room: Uuid) => boolean} isNew whether the person made the room here, and this device was not inside yet
 * @property {(room: Uuid) => void} inside this device is
 * @property {(room: Uuid, users: readonly Uuid[]) => void} expect in a room that is not strict: they were inside and are members, and their keys count no more
 * @property {(room: Uuid) => readonly Uuid[]} returningTo it: those
 * @property {(room: Uuid, users: readonly Uuid[]) => void} settled they were expected, and are inside, or no members any more
 * @property {(room: Uuid) => Promise<readonly Uuid[] | null>} shownIn whom the person is shown as they look at a direct conversation; null of any other room
 * @property {(room: Uuid) => boolean} mayMake whether this user makes the group of a room where there is none: whoever does is inside, and lets others in
 * @property {(ms: number) => Promise<void>} pause
 * @property {() => number} random from 0 to 1
 * @property {<T>(name: string, act: () => Promise<T>) => Promise<T>} exclusively runs `act` while no other window of this browser runs its own
 *
 * `harmed`: a device of this user made a change of a room's keys, or of its call's, that nobody can follow. `welcomed`: takes in what others left for
 * this device; whether it is in the room's group now.
 * @typedef {Parts & { harmed: (room: Uuid, user: Uuid) => void, welcomed: (room: Uuid) => Promise<boolean> }} GroupParts
 */

/** Of all windows of this browser one publishes what its device made: another would take what is on its way for overtaken. */
export const PUBLISHING = 'webcall-own-device';
/** Between two members who could do the same: the first in the tree does it, and the others find it done. */
const TURN_MS = 250;
/** However many are before one, most of them are not here. */
const MAX_TURNS = 12;
/** Those behind them come by chance, in so much time for each. */
const LATE_TURN_MS = 60;
/** And all in this. */
const LATE_TURNS_MS = 3_000;

/**
 * How long to wait before doing what any member can do: everybody at once would waste key packages and commits.
 * @param {import('../../e2ee/keys/interface.js').Look} look
 * @param {readonly number[]} gone leaves of who is to go: nobody waits for them
 * @param {() => number} random
 * @param {number} [turns] of so many one after the other
 */
export function turnMs({ leaf, members }, gone, random, turns = MAX_TURNS) {
  const staying = members.filter((member) => !gone.includes(member.leaf));
  const before = staying.filter((member) => member.leaf < leaf).length;
  if (before < turns) return before * TURN_MS;
  return turns * TURN_MS + random() * Math.min((staying.length - turns) * LATE_TURN_MS, LATE_TURNS_MS);
}

/**
 * Runs one at a time, also between the end of one and the start of the next that waits for it; whoever asks while it runs gets the run after it.
 * @template T
 * @param {() => Promise<T>} act
 * @returns {() => Promise<T>}
 */
export function oneAtATime(act) {
  /** @type {Promise<T> | null} */
  let running = null;
  /** @type {Promise<T> | null} */
  let next = null;
  const start = () => {
    const run = act().finally(() => {
      if (running === run) running = null;
    });
    running = run;
    return run;
  };
  return () => {
    if (next !== null) return next;
    if (running === null) return start();
    next = running.then(
      () => undefined,
      () => undefined,
    ).then(() => {
      next = null;
      return start();
    });
    return next;
  };
}
