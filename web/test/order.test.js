import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { CATALOGUES, setLanguage } from '../i18n/index.js';
import { CallStore } from '../state/call.js';
import { Preferences } from '../state/preferences.js';
import { GATHER_MS, Reactions, SHOWN_MS } from '../state/reactions.js';
import { RoomsStore } from '../state/rooms.js';
import { Roster } from '../state/roster.js';
import { actText, retentionText, slowModeText } from '../views/order-text.js';

const KINDS = ['rename', 'reset_link', 'topic', 'lock', 'unlock', 'slow_mode', 'retention', 'role', 'hand_over', 'remove', 'ban', 'unban', 'mute_in_chat', 'unmute_in_chat', 'pin', 'unpin', 'delete_message', 'forbid', 'allow', 'remove_from_call'];
const DETAILS = { rename: 'Thursday', topic: 'guitars', slow_mode: '30', retention: '90', role: 'moderator', forbid: 'screen_audio', allow: 'microphone' };

const act = (kind, fields = {}) => ({ id: 'a', at: 0, actor: 'u1', actor_name: 'ann', act: kind, subject: 'u2', subject_name: 'bob', detail: DETAILS[kind] ?? '', ...fields });
const person = (id, fields = {}) => ({ participant: id, user: `u${id}`, username: id, role: 'member', joined_at: 0, hand_raised_at: null, sources: [], ...fields });

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

/** A call in which `a` is oneself, and what it says. */
async function call() {
  const socket = Object.assign(new EventTarget(), { isUp: true, asked: [], connect() {}, close() {}, refuse: null });
  socket.request = async (message) => {
    socket.asked.push(message);
    if (message.type === 'join') return { type: 'joined', room: message.room, encryption: 'open', participant: 'a', participants: [person('a'), person('b')] };
    if (socket.refuse) throw Object.assign(new Error(), { code: socket.refuse });
    return { type: 'ok' };
  };
  const media = Object.assign(new EventTarget(), { camera: {}, microphone: {}, screen: null, stop() {} });
  const engine = Object.assign(new EventTarget(), { wantSeats() {}, negotiate() {}, close() {}, setTrack: async () => {}, isOffered: () => false, offered: new Set(), mute() {}, send() {}, attach() {} });
  const store = new CallStore(socket, media, new Preferences(null), /** @type {any} */ ({}), () => /** @type {any} */ (engine));
  const said = [];
  for (const type of ['hand', 'reaction', 'reactions', 'mine', 'notice']) store.addEventListener(type, ({ detail }) => said.push([type, detail]));
  return { socket, store, said, say: (message) => socket.dispatchEvent(new CustomEvent('message', { detail: message })) };
}

test('every act has words in both languages, with who, whom and what', () => {
  for (const language of Object.keys(CATALOGUES)) {
    setLanguage(language);
    for (const kind of KINDS) {
      const text = actText(act(kind));
      assert.match(text, /ann/, `${language} ${kind}`);
      assert.doesNotMatch(text, /[{}]|undefined|null|NaN|_/, `${language} ${kind}`);
    }
    for (const kind of ['ban', 'mute_in_chat', 'role', 'hand_over', 'forbid']) assert.match(actText(act(kind)), /bob/);
    assert.match(actText(act('rename')), /Thursday/);
  }
  setLanguage('en');
});

test('an act of somebody whose account is gone, and a topic that was removed, are still said', () => {
  setLanguage('en');
  assert.equal(actText(act('ban', { actor_name: null, subject_name: null })), 'somebody banned somebody');
  assert.equal(actText(act('topic', { detail: '' })), 'ann removed the topic');
  assert.equal(actText(act('retention', { detail: '' })), 'ann changed how long messages are kept: For ever');
});

test('slow mode and retention are said in plain words', () => {
  setLanguage('en');
  assert.deepEqual([0, 1, 30, 60, 300, 90].map(slowModeText), ['Off', 'One message in 1 second', 'One message in 30 seconds', 'One message a minute', 'One message in 5 minutes', 'One message in 90 seconds']);
  assert.deepEqual([null, 1, 90].map(retentionText), ['For ever', 'Messages are kept for 1 day', 'Messages are kept for 90 days']);
});

test('raised hands stand first, who waits longest at the top', () => {
  const roster = new Roster();
  roster.replace([person('a', { joined_at: 1 }), person('b', { joined_at: 2, hand_raised_at: 9 }), person('c', { joined_at: 3, hand_raised_at: 5 }), person('d', { joined_at: 4 })]);
  assert.deepEqual(roster.byHands.map(({ participant }) => participant), ['c', 'b', 'a', 'd']);
});

test('a reaction is shown for a moment, and the same one again begins afresh', () => {
  let changes = 0;
  const reactions = new Reactions(() => (changes += 1));
  reactions.show('b', '👍');
  const first = reactions.of('b');
  mock.timers.tick(SHOWN_MS - 1);
  reactions.show('b', '👍');
  assert.notEqual(reactions.of('b')?.serial, first?.serial);
  mock.timers.tick(SHOWN_MS - 1);
  assert.equal(reactions.of('b')?.emoji, '👍');
  mock.timers.tick(1);
  assert.equal(reactions.of('b'), null);
  mock.timers.tick(GATHER_MS);
  assert.equal(changes, 3);
});

test('many reactions at once are told together', () => {
  let changes = 0;
  const reactions = new Reactions(() => (changes += 1));
  for (let n = 0; n < 100; n += 1) reactions.show(`p${n}`, '👏');
  mock.timers.tick(GATHER_MS);
  assert.deepEqual([changes, reactions.of('p99')?.emoji], [1, '👏']);
  reactions.clear();
  mock.timers.tick(2 * SHOWN_MS);
  assert.deepEqual([changes, reactions.of('p99')], [1, null]);
});

test('the hands of others are told once, one’s own is a state', async () => {
  const { store, said, say } = await call();
  store.enter('room', { encryption: 'open' });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  said.length = 0;
  say({ type: 'participant_changed', participant: person('b', { hand_raised_at: 5 }) });
  say({ type: 'participant_changed', participant: person('b', { hand_raised_at: 5, sources: [] }) });
  say({ type: 'participant_changed', participant: person('b') });
  assert.deepEqual(said.filter(([type]) => type === 'hand').map(([, detail]) => detail), [{ name: 'b' }]);
  assert.equal(store.handRaised, false);
  say({ type: 'participant_changed', participant: person('a', { hand_raised_at: 5 }) });
  assert.equal(store.handRaised, true);
  assert.equal(said.filter(([type]) => type === 'hand').length, 1);
});

test('reactions of others are told, of strangers dropped, and end with who leaves', async () => {
  const { socket, store, said, say } = await call();
  store.enter('room', { encryption: 'open' });
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  say({ type: 'reaction', participant: 'b', emoji: '🎉' });
  say({ type: 'reaction', participant: 'a', emoji: '👍' });
  say({ type: 'reaction', participant: 'x', emoji: '👍' });
  assert.deepEqual(said.filter(([type]) => type === 'reaction').map(([, detail]) => detail), [{ name: 'b', emoji: '🎉' }]);
  assert.deepEqual(['a', 'b', 'x'].map((id) => store.reactionOf(id)?.emoji ?? null), ['👍', '🎉', null]);
  say({ type: 'participant_left', participant: 'b', reason: 'left' });
  assert.equal(store.reactionOf('b'), null);
  await store.react('👍');
  await store.raiseHand(true);
  assert.deepEqual(socket.asked.filter(({ type }) => type === 'react' || type === 'hand'), [{ type: 'react', emoji: '👍' }, { type: 'hand', raised: true }]);
  socket.refuse = 'rate_limited';
  await store.react('👍');
  assert.deepEqual(said.at(-1), ['notice', { code: 'rate_limited', source: null }]);
});

test('order in a room is kept over HTTP', async () => {
  const asked = [];
  const answers = { bans: { bans: ['ban'] }, audit: { acts: ['act'] } };
  const api = { call: async (...call) => (asked.push(call), answers[call[1].match(/\/(bans|audit)(?:\?|$)/)?.[1] ?? ''] ?? { id: 'r', name: 'n', in_call: 0 }) };
  const rooms = new RoomsStore(/** @type {any} */ (api));
  await rooms.change('r', { retention_days: null });
  await rooms.muteInChat('r', 'u', true);
  await rooms.setRole('r', 'u', 'owner');
  await rooms.ban('r', 'u');
  await rooms.unban('r', 'u');
  assert.deepEqual(await rooms.bans('r'), ['ban']);
  assert.deepEqual(await rooms.acts('r', null, 50), ['act']);
  await rooms.acts('r', 'a/b', 50);
  assert.deepEqual(asked, [
    ['PATCH', 'rooms/r', { retention_days: null }],
    ['PATCH', 'rooms/r/members/u', { chat_muted: true }],
    ['PATCH', 'rooms/r/members/u', { role: 'owner' }],
    ['PUT', 'rooms/r/bans/u'],
    ['DELETE', 'rooms/r/bans/u'],
    ['GET', 'rooms/r/bans'],
    ['GET', 'rooms/r/audit?limit=50'],
    ['GET', 'rooms/r/audit?limit=50&before=a%2Fb'],
  ]);
});
