// The group of a room for tests: a worker and a server of theirs, by turns of the test.

import { KeysRefused } from '../e2ee/keys/page.js';
import { RoomGroup } from '../state/keys/room-group.js';

export const [ME, OTHER] = ['me', 'other'];
export const aLook = (users, epoch, outgoing = null) => ({
  type: 'group',
  epoch,
  leaf: 0,
  standing: 'member',
  members: users.map((user, leaf) => ({ leaf, user, device: `${user}'s`, identity: '', participant: null })),
  stale: [],
  outgoing,
  authenticator: `${epoch}`,
});

/**
 * A room of two. `claim` and `info` answer for the server, `inside` is whether this device is in the group; `invited`: who was given the link, as the worker finds; `given`: what
 * stood in the link by which this user came.
 */
export function roomOf({ claim = async () => [], info = async () => ({}), create = async () => false, inside = true, isStrict = false, saysStrict = isStrict, named = [], expected = [], refusal = null, mayMake = true, welcomed = async () => false, members = async () => [ME, OTHER], shown = null, pause = async () => {}, invited = [OTHER], given = null, show = async () => {}, shows = null, present = [ME], stale = [], ever = [], isNew = false, made = true, returning = [] }) {
  const [asked, greeted, met, inviting] = [[], [], [], []];
  /** Whether this browser knows the room for strict. */
  let isKnown = isStrict;
  const lookOf = (...is) => ({ ...aLook(...is), strict: saysStrict });
  /** Who is inside once what is changed counts. */
  let after = [ME];
  let look = inside ? { ...lookOf(present, 0), stale } : null;
  const keys = {
    ask: async ({ op, add, users, remove, strict, ...about }) => {
      asked.push(op === 'create' && strict ? 'create strict' : op);
      if (op === 'join_external' && refusal !== null) throw new KeysRefused(refusal);
      if (op === 'look' && look === null) throw new KeysRefused('not_open');
      if (op === 'ever') return { users: ever };
      if (op === 'invited') return (inviting.push(about), { users: invited });
      if (op === 'show_link') return { invitation: `shown of ${about.secret}` };
      if (op === 'create') return { ...lookOf([ME], 0, { epoch: 0, commit: null, welcome: null, group_info: '' }), standing: 'creating' };
      if (op === 'join_external') return lookOf([ME], 0, { epoch: 0, commit: 'c', welcome: null, group_info: '' });
      if (op === 'change') after = [...look.members.filter(({ leaf }) => !remove.includes(leaf)).map(({ user }) => user), ...(add.length > 0 ? users : [])];
      if (op === 'change') return lookOf([ME], look.epoch, { epoch: look.epoch, commit: add[0], welcome: null, group_info: '' });
      if (op === 'accepted') look = look === null ? lookOf([ME], 0) : lookOf(after, look.epoch + 1);
      return look;
    },
  };
  const delivery = { claim, info, create, showInvitation: async (...shown) => show(...shown), commits: async () => ({ commits: [], epoch: look.epoch }), commit: async () => true };
  const know = async (users) => new Map(users.map((user) => [user, 'trusted']));
  const people = { know, knowAnew: know, greeted: async (_, users) => void greeted.push(...users), meets: async (_, users) => void met.push(...users) };
  const strictness = { isStrict: () => isKnown, foundStrict: () => (isKnown = true), made: () => expected.push(...named), expectedIn: () => expected, expect: (_, users) => (returning = [...returning, ...users]), returningTo: () => returning, settled: (_, users) => ([expected, returning] = [expected, returning].map((of) => of.filter((user) => !users.includes(user)))), shownIn: async () => shown };
  const invitations = { givenFor: () => given, isNew: () => isNew, hasMade: () => made, inside: () => (given = null), invitationsIn: async () => ({ code: 'c', shows: (await shows) ?? (await members()).map((user) => ({ user, invitation: `of ${user}` })) }) };
  const leave = () => (look = lookOf([ME], look.epoch + 1));
  const enter = () => (look = lookOf([ME], 0));
  return { asked, greeted, met, inviting, leave, enter, given: () => given, isKnown: () => isKnown, room: new RoomGroup('room', { keys, delivery, people, membersOf: members, ...strictness, ...invitations, mayMake: () => mayMake, welcomed, pause, exclusively: (_, act) => act() }) };
}
