import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { ApiError } from '../net/api.js';
import { SignalError } from '../net/socket.js';
import { CallStore } from '../state/call.js';
import { Preferences } from '../state/preferences.js';
import { Roster, mayModerate, moderated } from '../state/roster.js';
import { RoomsStore } from '../state/rooms.js';
import { SessionStore } from '../state/session.js';
import { SignedIn } from '../state/signed-in.js';
import { Wishes } from '../state/wishes.js';
import { FakeEngine, FakeMedia, FakeSocket, person, settle, source } from './call-world.js';

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

async function joined() {
  const socket = new FakeSocket();
  const media = new FakeMedia();
  const engines = [];
  const call = new CallStore(socket, media, new Preferences(null), null, (options) => {
    const engine = Object.assign(new FakeEngine(), { options });
    engines.push(engine);
    return engine;
  });
  const notices = [];
  const ended = [];
  call.addEventListener('notice', ({ detail }) => notices.push(`${detail.code} ${detail.source}`));
  call.addEventListener('ended', ({ detail }) => ended.push(detail.code));
  socket.answers.join = { type: 'joined', room: 'r', encryption: 'open', participant: 'me', participants: [person('me'), person('you')] };
  call.enter('r', { encryption: 'open' });
  await settle();
  return { call, socket, media, engines, notices, ended };
}

test('joining says what is switched off', async () => {
  const { socket } = await joined();
  assert.deepEqual(socket.asked[0], { type: 'join', room: 'r', muted: ['camera'] });
});

test('the servers of the welcome are used, and new credentials as soon as they come', async () => {
  const { call, engines, socket } = await joined();
  assert.deepEqual(engines[0].options.iceServers, []);
  const servers = [{ urls: ['turn:t'], username: 'u', credential: 'c' }];
  socket.dispatchEvent(new CustomEvent('message', { detail: { type: 'ice_servers', ice_servers: servers } }));
  assert.deepEqual(engines[0].servers, servers);
  socket.dispatchEvent(new CustomEvent('up', { detail: { resumed: false, iceServers: [{ urls: ['turn:v'] }] } }));
  await settle();
  assert.deepEqual(engines[1].options.iceServers, [{ urls: ['turn:v'] }]);
  call.leave();
});

test('a call is connected when socket, answer and media all are', async () => {
  const { call, engines, socket } = await joined();
  assert.equal(call.status, 'connecting');
  engines[0].connect();
  assert.equal(call.status, 'connected');
  socket.down();
  assert.equal(call.status, 'reconnecting');
  socket.up(true);
  assert.equal(call.status, 'connected');
});

test('a resumed connection keeps the participant and its media', async () => {
  const { engines, socket } = await joined();
  engines[0].connect();
  socket.down();
  socket.up(true);
  await settle();
  assert.equal(engines.length, 1);
  assert.equal(socket.count('join'), 1);
});

test('a connection that starts afresh joins again with new media', async () => {
  const { call, engines, socket } = await joined();
  engines[0].connect();
  socket.down();
  socket.up(false);
  await settle();
  assert.equal(engines.length, 2);
  assert.ok(engines[0].closed);
  assert.equal(socket.count('join'), 2);
  engines[1].connect();
  assert.equal(call.status, 'connected');
});

test('lost media joins again by itself, a removal does not', async () => {
  const { call, engines, socket, ended, media } = await joined();
  socket.say({ type: 'removed', reason: 'media_lost' });
  mock.timers.tick(500);
  await settle();
  assert.equal(engines.length, 2);
  socket.say({ type: 'removed', reason: 'removed' });
  assert.deepEqual(ended, ['removed']);
  assert.equal(call.status, 'idle');
  assert.ok(media.stopped);
});

test('a join that is refused for good ends the stay, one that fails in passing is tried again', async () => {
  const { call, socket, ended } = await joined();
  socket.answers.join = new SignalError('busy');
  socket.up(false);
  await settle();
  assert.deepEqual(ended, []);
  socket.answers.join = new SignalError('room_not_found');
  mock.timers.tick(1000);
  await settle();
  assert.deepEqual(ended, ['room_not_found']);
  assert.equal(call.status, 'idle');
});

test('switching a device is told once, after the server knows the source', async () => {
  const { call, engines, socket } = await joined();
  await call.toggle('camera');
  assert.equal(socket.count('mute'), 0);
  engines[0].settle();
  assert.deepEqual(socket.asked.filter(({ type }) => type === 'mute'), [{ type: 'mute', source: 'camera', muted: false }]);
  await call.toggle('camera');
  assert.deepEqual(socket.asked.at(-1), { type: 'mute', source: 'camera', muted: true });
  engines[0].settle();
  assert.equal(socket.count('mute'), 2);
});

test('what was told before the connection broke is told again', async () => {
  const { engines, socket } = await joined();
  engines[0].settle();
  socket.down();
  socket.up(true);
  await settle();
  assert.deepEqual(socket.asked.filter(({ type }) => type === 'mute').map(({ source: name, muted }) => [name, muted]), [['microphone', false], ['camera', true]]);
});

test('a moderator who mutes switches the microphone off here too, and it stays off', async () => {
  const { call, engines, socket, media, notices } = await joined();
  engines[0].settle();
  socket.say({ type: 'participant_changed', participant: person('me', { sources: [source('microphone', true, true), source('camera', true)] }) });
  assert.equal(media.microphone.on, false);
  assert.deepEqual(notices, ['muted_by_moderator microphone']);
  await call.toggle('microphone');
  assert.equal(media.microphone.on, false);
  assert.deepEqual(notices, ['muted_by_moderator microphone', 'muted_by_moderator microphone']);
  socket.say({ type: 'participant_changed', participant: person('me', { sources: [source('microphone', true), source('camera', true)] }) });
  assert.equal(notices.at(-1), 'allowed_by_moderator microphone');
  await call.toggle('microphone');
  assert.equal(media.microphone.on, true);
});

test('seats are wanted for every other person and every shared screen', async () => {
  const { engines, socket } = await joined();
  assert.equal(engines[0].wanted, 1);
  socket.say({ type: 'participant_joined', participant: person('third', { sources: [source('screen', false)] }) });
  assert.equal(engines[0].wanted, 3);
  socket.say({ type: 'participant_left', participant: 'third', reason: 'left' });
  assert.equal(engines[0].wanted, 1);
});

test('the server can ask for an offer and for a new path', async () => {
  const { engines, socket } = await joined();
  const before = engines[0].negotiations;
  socket.say({ type: 'renegotiate' });
  socket.say({ type: 'media', state: 'disconnected' });
  assert.equal(engines[0].negotiations, before + 1);
  assert.equal(engines[0].restarts, 1);
});

test('what an overloaded server leaves out is known until it is sent again, or the call is joined afresh', async () => {
  const { call, socket } = await joined();
  const told = [];
  call.addEventListener('left_out', () => told.push(call.leftOut));
  socket.say({ type: 'left_out', what: 'pictures' });
  socket.say({ type: 'left_out', what: 'nothing' });
  socket.say({ type: 'left_out', what: 'sharpness' });
  socket.down();
  socket.up(false);
  assert.deepEqual(told, ['pictures', 'nothing', 'sharpness', 'nothing']);
});

test('leaving says goodbye and lets the devices go', async () => {
  const { call, socket, media, engines, ended } = await joined();
  call.leave();
  assert.equal(socket.asked.at(-1).type, 'leave');
  assert.ok(engines[0].closed && media.stopped);
  assert.deepEqual(ended, []);
});

test('the connection outlives the call, because the chat uses it too', async () => {
  const { call, socket } = await joined();
  call.leave();
  assert.ok(socket.isUp);
  call.enter('r', { encryption: 'open' });
  await settle();
  assert.deepEqual(socket.asked.slice(-2).map(({ type }) => type), ['leave', 'join']);
});

test('a goodbye that got lost with the connection is said when it is back', async () => {
  const { call, socket } = await joined();
  socket.answers.leave = new SignalError('connection_lost');
  call.leave();
  await settle();
  socket.answers.leave = { type: 'ok' };
  socket.up(true);
  await settle();
  socket.up(true);
  await settle();
  assert.equal(socket.count('leave'), 2);
});

test('a connection that begins afresh needs no goodbye', async () => {
  const { call, socket } = await joined();
  socket.answers.leave = new SignalError('connection_lost');
  call.leave();
  await settle();
  socket.up(false);
  await settle();
  assert.equal(socket.count('leave'), 1);
});

test('an offer of an earlier stay is never sent', async () => {
  const { engines, socket } = await joined();
  socket.down();
  const offer = engines[0].options.offer({ sdp: '', tracks: [], seats: [] });
  socket.up(false);
  await assert.rejects(offer, { code: 'connection_lost' });
  assert.equal(socket.count('offer'), 0);
});

test('wishes are sent once the layout is quiet, and only when they changed', async () => {
  const sent = [];
  const wishes = new Wishes(async (list) => sent.push(list));
  const wish = (width) => [{ participant: 'you', kind: 'person', width, pinned: false }];
  wishes.set(wish(100));
  wishes.set(wish(200));
  mock.timers.tick(100);
  wishes.set(wish(200));
  mock.timers.tick(100);
  assert.deepEqual(sent, [wish(200)]);
  wishes.again();
  mock.timers.tick(100);
  assert.equal(sent.length, 2);
});

test('moderators moderate members, owners everybody else, nobody themselves or an owner', () => {
  const [owner, moderator, member, other] = ['owner', 'moderator', 'member', 'member'].map((role, at) => person(String(at), { role }));
  const may = [[owner, moderator], [owner, member], [moderator, member]];
  for (const mine of [owner, moderator, member])
    for (const theirs of [owner, moderator, member, other]) {
      const expected = may.some(([a, b]) => a === mine && b === theirs) || (theirs === other && mine !== member);
      assert.equal(mayModerate(mine, theirs), expected, `${mine.role} on ${theirs.role}`);
    }
});

test('a change tells what it newly forbids and allows', () => {
  const before = person('x', { sources: [source('microphone', true, true), source('camera', false)] });
  const after = person('x', { sources: [source('microphone', true), source('camera', true, true)] });
  assert.deepEqual(moderated(before, after), { forbidden: ['camera'], allowed: ['microphone'] });
  assert.deepEqual(moderated(null, before), { forbidden: ['microphone'], allowed: [] });
});

test('a switched-off screen is no feed', () => {
  const roster = new Roster();
  roster.put(person('a', { sources: [source('screen', true)] }));
  roster.put(person('b', { joined_at: 1, sources: [source('screen', false)] }));
  assert.deepEqual(roster.feeds().map(({ participant, kind }) => `${participant.participant} ${kind}`), ['a person', 'b person', 'b screen']);
});

test('a remembered value that nobody knows any more is ignored', () => {
  const kept = new Map([['webcall.codec', 'H266'], ['webcall.language', 'ru']]);
  const preferences = new Preferences({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) });
  assert.equal(preferences.get('codec'), 'automatic');
  assert.equal(preferences.get('language'), 'ru');
  preferences.set('language', null);
  assert.equal(kept.has('webcall.language'), false);
});

test('without storage a choice lives as long as the page', () => {
  const refuse = () => {
    throw new Error('refused');
  };
  for (const storage of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
    const preferences = new Preferences(storage);
    preferences.set('theme', 'dark');
    assert.equal(preferences.get('theme'), 'dark');
  }
});

class FakeApi extends EventTarget {
  user = null;
  async renew() {
    this.user = { id: 'a', username: 'anna' };
  }
  adopt({ user }) {
    this.user = user;
  }
  forget() {
    this.user = null;
  }
  async callOpen() {
    return { user: { id: 'a', username: 'anna' } };
  }
  async call(method, path, body) {
    return this.answer(method, path, body);
  }
}

test('a browser without a session is signed out, one without a server is not', async () => {
  for (const [status, expected] of [[401, 'signed-out'], [0, 'unreachable'], [503, 'unreachable']]) {
    const api = new FakeApi();
    api.renew = () => Promise.reject(new ApiError('any', status));
    const session = new SessionStore(api, null);
    await session.restore();
    assert.equal(session.status, expected);
  }
});

test('signing out in one window signs out the other windows of the same account', async () => {
  const windows = new EventTarget();
  windows.postMessage = () => {};
  const session = new SessionStore(new FakeApi(), windows);
  await session.login('anna', 'password');
  windows.dispatchEvent(new MessageEvent('message', { data: { kind: 'signed-out', user: 'b' } }));
  assert.equal(session.status, 'signed-in');
  windows.dispatchEvent(new MessageEvent('message', { data: { kind: 'signed-out', user: 'a' } }));
  assert.equal(session.status, 'signed-out');
});

/** Windows of one browser that share what it stores; each has what the server would answer it. */
function browserOf() {
  const stored = new Map();
  const storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => void stored.set(key, value), removeItem: (key) => void stored.delete(key) };
  return (user) => {
    const [api, heard] = [new FakeApi(), Object.assign(new EventTarget(), { postMessage() {} })];
    api.callOpen = async () => ({ user: { id: user } });
    api.renew = async () => api.adopt({ user: { id: user } });
    const session = new SessionStore(api, heard, new SignedIn(storage));
    return { api, session, hearsOfLogOut: (of) => heard.dispatchEvent(new MessageEvent('message', { data: { kind: 'signed-out', user: of } })) };
  };
}

test('a window that wakes after a log-out knows who has signed in since in another window', async () => {
  for (const next of ['b', 'a']) {
    const windowOf = browserOf();
    const [first, late] = [windowOf('a'), windowOf('a')];
    await first.session.login('anna', 'password');
    await late.session.restore();
    await first.session.logout();
    assert.equal(first.session.signedInSince, null, 'nobody yet');
    await windowOf(next).session.login('somebody', 'password');
    late.hearsOfLogOut('a');
    assert.deepEqual([late.session.status, late.session.signedInSince], ['signed-out', next]);
  }
});

test('a log-out leaves nobody signed in, whichever window signed in last and whichever wakes', async () => {
  const windowOf = browserOf();
  const [first, late, again] = [windowOf('a'), windowOf('a'), windowOf('a')];
  await first.session.login('anna', 'password');
  await late.session.restore();
  await again.session.login('anna', 'password');
  await first.session.logout();
  assert.equal(first.session.signedInSince, null);
  for (const other of [late, again]) {
    other.hearsOfLogOut('a');
    assert.deepEqual([other.session.status, other.session.signedInSince], ['signed-out', null]);
  }
});

test('a session that ended while no window was open leaves nobody signed in', async () => {
  const windowOf = browserOf();
  await windowOf('a').session.login('anna', 'password');
  const { api, session } = windowOf('a');
  api.renew = () => Promise.reject(new ApiError('any', 401));
  await session.restore();
  assert.deepEqual([session.status, session.signedInSince], ['signed-out', null]);
});

test('who the server says is signed in instead counts as having signed in since, stored or not', async () => {
  const unstored = new FakeApi();
  for (const { api, session } of [browserOf()('a'), { api: unstored, session: new SessionStore(unstored, null) }]) {
    await session.restore();
    api.dispatchEvent(new CustomEvent('other-account', { detail: { id: 'b' } }));
    assert.deepEqual([session.status, session.reason, session.signedInSince], ['signed-out', 'other_account', 'b']);
  }
});

test('rooms with somebody in the call stand first', async () => {
  const api = new FakeApi();
  const room = (id, name, inCall) => ({ id, name, in_call: inCall });
  api.answer = () => ({ rooms: [room('1', 'Zoo', 0), room('2', 'Alps', 0), room('3', 'Moon', 2)] });
  const rooms = new RoomsStore(api);
  await rooms.load();
  assert.deepEqual(rooms.rooms.map(({ name }) => name), ['Moon', 'Alps', 'Zoo']);
});
