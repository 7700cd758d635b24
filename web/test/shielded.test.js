// A call of an encrypted room, without media: what is put on before anything is sent, what the lock says, whose picture is whose, and what ends it.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { CATALOGUES } from '../i18n/index.js';
import { CallStore } from '../state/call.js';
import { EncryptedOnce } from '../state/encrypted-once.js';
import { mayMake } from '../state/keys/open.js';
import { Preferences } from '../state/preferences.js';
import { RoomsStore } from '../state/rooms.js';
import { ShieldedStay } from '../state/shielded-stay.js';
import { zeros } from '../e2ee/media/counters.js';
import { FakeEngine, FakeMedia, FakeSocket, person, settle } from './call-world.js';

/** Rooms by whose id it is known whether they are encrypted. */
const [SEALED, OPEN] = ['0190b0a0-0000-8000-8000-00000000000a', '0190b0a0-0000-7000-8000-00000000000a'];

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

/** The page's end of a media worker, whose other side is the test. */
class FakeShield extends EventTarget {
  sealed = [];
  opened = [];
  seats = [];
  counters = zeros();
  closed = false;
  sealing(sender, source) {
    this.sealed.push(source);
  }
  opening(receiver) {
    this.opened.push(receiver);
    return `track ${this.opened.length}`;
  }
  seat(track, feed) {
    this.seats.push([track, feed]);
  }
  async report() {
    return { epoch: 1, tracks: [], past: { ...this.counters }, refused_messages: 0 };
  }
  close() {
    this.closed = true;
  }
  shows(track, owner, context) {
    this.dispatchEvent(new CustomEvent('source', { detail: { track, owner, context } }));
  }
}

/** The keys: a group of which the test says who is in it. */
class FakeAccount {
  stays = [];
  users = { me: 'ume', you: 'uyou' };
  refuses = null;
  lookOf() {
    return null;
  }
  stayIn(call, stay, { over, epoch }) {
    const group = { call, stay, over, epoch, emoji: async () => [1, 2, 3, 4, 5, 6], present: (participants) => (group.participants = [...participants]), connect: () => {}, userOf: (participant) => this.users[participant] ?? null };
    group.enter = async () => {
      if (this.refuses) throw this.refuses;
    };
    this.stays.push(group);
    return group;
  }
  async leave(_call, group) {
    group.left = true;
  }
}

/** Somebody in an encrypted room, and what was made for it. */
async function entered({ encryption = 'mls', joined = {}, ready, hold = null } = {}) {
  const [socket, account, shields, engines, ended, notices, prepared] = [new FakeSocket(), new FakeAccount(), [], [], [], [], []];
  const shielding = {
    isSupported: () => true,
    prepare: (room) => prepared.push(room),
    ready: ready ?? (async () => account),
    open: () => {
      const shield = new FakeShield();
      shields.push(shield);
      return new ShieldedStay(shield, {}, hold);
    },
  };
  const call = new CallStore(socket, new FakeMedia(), new Preferences(null), shielding, (options) => {
    const engine = Object.assign(new FakeEngine(), { options });
    engines.push(engine);
    return engine;
  });
  call.addEventListener('ended', ({ detail }) => ended.push(detail.code));
  call.addEventListener('notice', ({ detail }) => notices.push(detail.code));
  socket.answers.join = { type: 'joined', room: 'r', call: 'c', encryption: 'mls', participant: 'me', participants: [person('me'), person('you')], ...joined };
  call.enter('r', { encryption });
  await settle();
  return { call, socket, account, shields, engines, ended, notices, prepared };
}

const receiver = (name) => ({ receiver: { name } });
const seatOf = (participant, kind = 'person') => ({ audio: receiver('audio'), video: receiver('video'), feed: participant === null ? null : { participant, kind, csrc: 1 } });

test('every m-line is sealed or opened from the first on, and the keys of the call go to the worker that does it', async () => {
  const { engines: [engine], shields: [shield], account, call } = await entered();
  engine.options.attach({ sender: {} }, 'microphone');
  engine.options.attach({ sender: {} }, 'screen');
  engine.options.attach({ receiver: {} }, 'video');
  assert.deepEqual([shield.sealed, shield.opened.length], [['microphone', 'screen'], 1]);
  assert.deepEqual([account.stays[0].call, account.stays[0].stay, account.stays[0].participants], ['c', { room: 'r', participant: 'me' }, ['me', 'you']]);
  call.leave();
  await settle();
  assert.deepEqual([shield.closed, account.stays[0].left], [true, true]);
});

test('what an encrypted call needs is begun before anybody joins, and nothing of it for an open one', async () => {
  const { call, prepared } = await entered();
  call.prepare({ id: 'r', encryption: 'open' });
  assert.deepEqual(prepared, []);
  call.prepare({ id: 'r', encryption: 'mls' });
  assert.deepEqual(prepared, ['r']);
});

test('in an open room nothing is sealed, and the lock says so', async () => {
  const { call, shields, engines } = await entered({ encryption: 'open', joined: { encryption: 'open' } });
  assert.deepEqual([call.lock, shields.length, engines.length], ['open', 0, 1]);
});

test('t8_a_server_that_says_another_encryption_than_the_room_has_ends_the_call_before_anything_is_sent', async () => {
  for (const [known, said] of [['mls', 'open'], ['open', 'mls']]) {
    const { ended, engines, account, socket } = await entered({ encryption: known, joined: { encryption: said } });
    assert.deepEqual([ended, engines[0].closed, socket.count('offer'), account.stays.length], [['other_encryption'], true, 0, 0]);
  }
  assert.deepEqual((await entered()).ended, [], 'the same otherwise');
});

test('t26_a_browser_that_cannot_encrypt_joins_no_encrypted_call_and_is_told', async () => {
  const refused = Object.assign(new Error(), { code: 'encryption_unsupported' });
  const { ended, socket, engines } = await entered({ ready: () => Promise.reject(refused) });
  assert.deepEqual([ended, socket.count('join'), engines.length], [['encryption_unsupported'], 0, 0]);
  assert.equal((await entered({ encryption: 'open', joined: { encryption: 'open' } })).socket.count('join'), 1, 'an open one it does');
});

test('t11_a_participant_is_proven_only_by_the_group_of_the_call_and_in_an_open_call_nobody_is', async () => {
  const { call, account } = await entered();
  let told = 0;
  call.addEventListener('proven', () => (told += 1));
  const [you] = call.roster.people.filter(({ participant }) => participant === 'you');
  assert.deepEqual([call.isProven(you), call.isProven({ ...you, user: 'usomebody' })], [true, false]);
  account.users.you = 'usomebody';
  account.stays[0].epoch();
  assert.deepEqual([told, call.isProven(you), await call.emoji()], [1, false, [1, 2, 3, 4, 5, 6]]);
  const open = await entered({ encryption: 'open', joined: { encryption: 'open' } });
  assert.deepEqual([open.call.isProven(you), await open.call.emoji()], [false, null]);
});

test('who is not let in yet is told once, and tries again', async () => {
  let asked = 0;
  const ready = () => Promise.reject(Object.assign(new Error(), { code: (asked += 1) && 'not_let_in' }));
  const { notices, ended } = await entered({ ready });
  for (let more = 0; more < 3; more += 1) {
    mock.timers.tick(20_000);
    await settle();
  }
  assert.deepEqual([notices, ended], [['not_let_in'], []]);
  assert.ok(asked > 2);
});

test('who drops out of a call is told why they cannot come back, whatever number of tries that is', async () => {
  let code = null;
  const account = new FakeAccount();
  const { call, notices, engines: [engine] } = await entered({ ready: async () => (code === null ? account : Promise.reject(Object.assign(new Error(), { code }))) });
  const passes = async () => {
    mock.timers.tick(20_000);
    await settle();
  };
  code = 'newcomers';
  engine.dispatchEvent(new CustomEvent('lost', { detail: { code: 'media_lost' } }));
  for (let more = 0; more < 3; more += 1) await passes();
  code = 'not_let_in';
  for (let more = 0; more < 3; more += 1) await passes();
  assert.deepEqual(notices, ['media_lost', 'newcomers', 'not_let_in'], 'each once');
  call.leave();
});

test('t30_the_lock_is_what_this_client_sealed_and_opened_itself', async () => {
  const { call, shields: [shield] } = await entered();
  const after = async (changes) => {
    for (const [name, count] of Object.entries(changes)) shield.counters[name] += count;
    mock.timers.tick(1_000);
    await settle();
    return call.lock;
  };
  assert.equal(call.lock, 'idle');
  assert.equal(await after({ sealed: 50 }), 'closed');
  assert.equal(await after({ opened: 50 }), 'closed');
  assert.equal(await after({}), 'idle');
  assert.equal(await after({ opened: 50, clear_refused: 1 }), 'attacked');
  for (let report = 0; report < 9; report += 1) assert.equal(await after({ opened: 50 }), 'attacked', 'long enough to be seen');
  assert.equal(await after({ opened: 50 }), 'closed');
});

test('t11_a_picture_is_shown_under_a_name_only_while_its_key_and_the_group_both_say_so', async () => {
  const { call, engines: [engine], shields: [shield], account, socket } = await entered();
  const [audio, video] = [{ name: 'audio' }, { name: 'video' }];
  engine.options.attach({ receiver: audio }, 'audio');
  engine.options.attach({ receiver: video }, 'video');
  engine.seats.all = [{ ...seatOf('you'), audio: { receiver: audio }, video: { receiver: video } }];
  socket.say({ type: 'seats', seats: [] });
  assert.deepEqual(shield.seats, [['track 1', { owner: 'you', kind: 'person' }], ['track 2', { owner: 'you', kind: 'person' }]]);
  assert.equal(call.verdict(0), 'no', 'before a frame was opened');
  shield.shows('track 2', 'you', 'screen');
  assert.equal(call.verdict(0), 'no', 'a screen is no face');
  shield.shows('track 2', 'them', 'camera');
  assert.equal(call.verdict(0), 'no', "another's picture");
  shield.shows('track 2', 'you', 'camera');
  assert.equal(call.verdict(0), 'yes');
  account.users.you = 'somebody else';
  assert.equal(call.verdict(0), 'no', 'the group knows another behind this participant than the server names');
});

test('a stay that cannot go on, a worker that did not load and a group that lets nobody in are begun anew', async () => {
  for (const end of [({ account }) => account.stays[0].over(), ({ shields }) => shields[0].dispatchEvent(new Event('fault'))]) {
    const all = await entered();
    end(all);
    for (let turn = 0; turn < 3; turn += 1) {
      mock.timers.tick(1_000);
      await settle();
    }
    assert.deepEqual([all.socket.count('join'), all.shields.length, all.shields[0].closed, all.call.lock], [2, 2, true, 'idle']);
  }
});

const faults = (shield) => shield.dispatchEvent(new Event('fault'));
const passes = async (seconds) => {
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1_000);
    await settle();
  }
};

for (const isConnected of [false, true]) {
  test(`a media worker that cannot be loaded ends the call and the person is told why, ${isConnected ? 'also where the call was there first' : 'and the others see nobody come and go'}`, async () => {
    const { call, socket, engines, shields, ended } = await entered();
    for (let seen = 0, turn = 0; turn < 60; turn += 1) {
      for (; seen < shields.length; seen += 1) {
        if (isConnected) engines[seen].connect();
        faults(shields[seen]);
      }
      await passes(1);
    }
    assert.deepEqual([ended, call.status, shields.length, shields.every(({ closed }) => closed)], [['encryption_stopped'], 'idle', 2, true]);
    assert.deepEqual([socket.count('join'), socket.asked.filter(({ type }) => type !== 'view').at(-1).type], [2, 'leave']);
    for (const catalogue of Object.values(CATALOGUES)) assert.ok('error.encryption_stopped' in catalogue);
    call.enter('r', { encryption: 'mls' });
    await settle();
    faults(shields[2]);
    await passes(1);
    assert.deepEqual([ended.length, shields.length], [1, 4], 'who comes in anew has as many tries');
    call.leave();
  });
}

test('a media worker that stops after a good stay is begun anew each time, and what the keys end is however often', async () => {
  const { call, account, engines, shields, ended } = await entered();
  for (let time = 1; time <= 3; time += 1) {
    engines.at(-1).connect();
    await passes(10);
    faults(shields.at(-1));
    await passes(1);
    assert.deepEqual([ended, shields.length, call.lock], [[], time + 1, 'idle']);
  }
  for (let time = 1; time <= 3; time += 1) {
    account.stays.at(-1).over();
    await passes(2);
    assert.deepEqual([ended, shields.length], [[], time + 4]);
  }
  faults(shields.at(-1));
  await passes(1);
  assert.deepEqual([ended, shields.length, call.status], [['encryption_stopped'], 7, 'idle'], 'none was good since the last that its media worker ended');
});

test('t8_a_room_that_was_encrypted_stays_so_whatever_the_server_says_later_and_over_a_reload', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  let says = 'mls';
  const api = { call: async (_method, path) => (path === 'rooms' ? { rooms: [{ id: 'a', name: 'a', in_call: 0, encryption: says }] } : { id: 'a', name: 'a', in_call: 0, encryption: says, members: [] }) };
  const rooms = () => new RoomsStore(api, storage);
  const first = rooms();
  await first.load();
  assert.equal(first.find('a').encryption, 'mls');
  says = 'open';
  for (const each of [first, rooms()]) {
    await each.load();
    assert.equal(each.find('a').encryption, 'mls');
    assert.equal((await each.details('a')).encryption, 'mls');
  }
  says = 'closed';
  const strange = new RoomsStore(api, null);
  await strange.load();
  assert.equal(strange.find('a').encryption, 'mls', 'what is not said to be open is not');
  says = 'open';
  const elsewhere = new RoomsStore(api, null);
  await elsewhere.load();
  assert.equal(elsewhere.find('a').encryption, 'open', 'who never saw it encrypted has only the server');
});

test('t8_an_answer_about_another_room_and_a_list_of_invented_ones_take_nothing_away', async () => {
  const once = new EncryptedOnce(null);
  once.seen({ id: 'a', encryption: 'mls' });
  for (let number = 0; number < 5_000; number += 1) once.seen({ id: `invented ${number}`, encryption: 'mls' });
  assert.equal(once.seen({ id: 'a', encryption: 'open' }).encryption, 'mls');
  let id = 'a';
  const rooms = new RoomsStore({ call: async () => ({ id, name: 'a', in_call: 0, encryption: 'open', members: [] }) }, null);
  assert.equal((await rooms.details('a')).encryption, 'open');
  id = 'b';
  await assert.rejects(rooms.details('a'), { code: 'bad_answer' });
});

test('a room that was asked to be encrypted is, whatever the server answers', async () => {
  const told = { id: SEALED, name: 'a', in_call: 0, encryption: 'open', members: [] };
  const rooms = new RoomsStore({ call: async () => told });
  assert.equal((await rooms.create('a', { encryption: 'mls', strict: false })).encryption, 'mls');
  assert.equal((await new RoomsStore({ call: async () => ({ ...told, id: OPEN }) }).create('a', { encryption: 'open', strict: false })).encryption, 'open');
});

test('t8_the_id_of_an_encrypted_room_says_what_it_is_on_every_device_whatever_the_server_says', async () => {
  const told = (id) => ({ id, name: 'a', in_call: 0, encryption: 'open', strict: false, members: [] });
  const never = new RoomsStore({ call: async (_method, path) => (path === 'rooms' ? { rooms: [told(SEALED), told(OPEN)] } : told(path.slice('rooms/'.length))) }, null);
  await never.load();
  assert.deepEqual([SEALED, OPEN].map((id) => never.find(id).encryption), ['mls', 'open']);
  assert.deepEqual([(await never.details(SEALED)).encryption, (await never.details(OPEN)).encryption], ['mls', 'open']);
});

test('t8_a_new_room_whose_id_does_not_say_that_it_is_encrypted_is_not_taken_where_that_was_asked_for', async () => {
  for (const encryption of ['mls', 'open']) {
    const rooms = new RoomsStore({ call: async () => ({ id: OPEN, name: 'a', in_call: 0, encryption, strict: false, members: [] }) }, null);
    await assert.rejects(rooms.create('a', { encryption: 'mls', strict: false }), { code: 'not_encrypted' });
    await assert.rejects(rooms.openDirect(['boris'], { encryption: 'mls', strict: false }), { code: 'not_encrypted' });
    assert.equal(rooms.find(OPEN), null);
    // One that is in the list already stays as it is.
    await rooms.refresh(OPEN);
    assert.equal((await rooms.openDirect(['boris'], { encryption: 'mls', strict: false })).encryption, encryption);
  }
});

test('a window that is not alone in a call offers nothing, comes into no group and leaves again', async () => {
  const elsewhere = Object.assign(new Error(), { code: 'in_call_elsewhere' });
  const held = Promise.reject(elsewhere);
  held.catch(() => {});
  const { socket, account, engines, ended } = await entered({ hold: { held, release() {} } });
  await settle();
  assert.deepEqual([ended, account.stays.length, engines[0].closed], [['in_call_elsewhere'], 0, true]);
  assert.deepEqual(socket.asked.map(({ type }) => type), ['join', 'leave']);
});

test('who comes while the lock of the call is still waited for is in the call, and who goes is not', async () => {
  let letIn = () => {};
  const held = new Promise((resolve) => (letIn = resolve));
  const { socket, call } = await entered({ hold: { held, release() {} } });
  socket.say({ type: 'participant_joined', participant: person('late') });
  socket.say({ type: 'participant_left', participant: 'you', reason: 'left' });
  await settle();
  letIn();
  await settle();
  assert.deepEqual(call.roster.people.map(({ participant }) => participant), ['late', 'me']);
});

test('t2_a_server_that_answers_with_another_room_than_was_asked_for_ends_the_call_before_anything_is_sent', async () => {
  const { ended, engines, account, socket } = await entered({ joined: { room: 'another' } });
  assert.deepEqual([ended, engines[0].closed, socket.count('offer'), account.stays.length], [['other_encryption'], true, 0, 0]);
});

test('t2_a_room_under_another_spelling_of_its_name_is_none', async () => {
  const id = OPEN;
  const others = [id.toUpperCase(), id.replaceAll('-', ''), `urn:uuid:${id}`, `{${id}}`];
  const told = (each) => ({ id: each, name: 'a', in_call: 0, encryption: 'open', strict: false, members: [] });
  let answer = { rooms: [id, ...others].map(told) };
  const rooms = new RoomsStore({ call: async () => answer }, null);
  await rooms.load();
  assert.deepEqual(rooms.rooms.map((room) => room.id), [id]);
  for (const other of others) {
    answer = told(other);
    await assert.rejects(rooms.details(other), { code: 'bad_answer' }, other);
    await assert.rejects(rooms.create('a', { encryption: 'mls', strict: true }), { code: 'bad_answer' }, other);
  }
});

test('t2_whom_the_person_named_in_a_strict_conversation_is_known_over_a_reload_unless_the_server_tells_of_more', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  for (const [id, users, expected] of [[SEALED, ['me', 'boris'], ['me', 'boris']], [SEALED.replace(/a$/, 'b'), ['me', 'boris', 'ghost'], []]]) {
    const told = { id, name: '', in_call: 0, encryption: 'mls', strict: true, kind: 'direct', role: 'member', members: users.map((user) => ({ user, username: user })) };
    const rooms = new RoomsStore({ user: { username: 'me' }, call: async () => told }, storage);
    const named = [];
    rooms.addEventListener('named', ({ detail }) => named.push(detail.room));
    await rooms.openDirect(['boris'], { encryption: 'mls', strict: true });
    assert.deepEqual([rooms.namedIn(id), named.length], [expected, expected.length > 0 ? 1 : 0]);
    assert.deepEqual(new RoomsStore(null, storage).namedIn(id), expected);
    assert.equal(mayMake(rooms, id), expected.length > 0);
  }
});

test('t2_whom_the_server_tells_of_when_a_strict_conversation_is_opened_again_was_not_named', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  let members = ['me', 'boris'];
  const api = { user: { username: 'me' }, call: async () => ({ id: SEALED, name: '', in_call: 0, encryption: 'mls', strict: true, kind: 'direct', role: 'member', members: members.map((user) => ({ user, username: user })) }) };
  const open = (rooms, ...names) => rooms.openDirect(names, { encryption: 'mls', strict: false });
  const rooms = new RoomsStore(api, storage);
  await open(rooms, 'boris');
  assert.deepEqual(rooms.expectedIn(SEALED), [], 'nobody made its group yet');
  rooms.made(SEALED);
  members = ['me', 'ghost'];
  await open(rooms, 'boris');
  assert.deepEqual([rooms.namedIn(SEALED), rooms.expectedIn(SEALED)], [['me', 'boris'], ['me', 'boris']]);
  // Another browser of the same person, which found the group made.
  const elsewhere = new RoomsStore(api, null);
  await open(elsewhere, 'boris');
  assert.deepEqual([elsewhere.namedIn(SEALED), elsewhere.expectedIn(SEALED)], [[], []], 'nor who is there under another name');
  // One name twice, or one’s own, leaves no place for others.
  members = ['me', 'boris', 'ghost'];
  for (const names of [['boris', 'Boris'], ['boris', 'me']]) {
    const careless = new RoomsStore(api, null);
    await open(careless, ...names);
    assert.deepEqual(careless.namedIn(SEALED), [], names.join(' '));
  }
  assert.deepEqual(new RoomsStore(api, storage).expectedIn(SEALED), ['me', 'boris'], 'over a reload');
});
