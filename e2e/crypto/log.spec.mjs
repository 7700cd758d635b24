// The log of everybody's keys, with the page's own modules and the client's own cryptography against a real server that lies to one client, or to
// all but one: it has the log's key, and signs what it likes. Whoever is lied to finds it out by what others write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toServer } from '../../web/state/keys/bytes.js';
import { base64 } from './lib/bytes.mjs';
import { certify } from './lib/certificates.mjs';
import { Chatter } from './lib/chatter.mjs';
import { FalseLog, refused, strangersKey } from './lib/log.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage(Chatter);
/** Proofs that are asked for before a member who invents heads is named: of one head, and of those that came meanwhile. */
const MOST_ASKED = 3;

const person = async () => (await on.people.stranger()).start();

/** Ann has a room; nobody is lied to yet. */
async function owner() {
  const ann = await person();
  const room = await ann.api.call('POST', 'rooms', { name: 'Stammtisch', encryption: 'mls' });
  await ann.rooms.load();
  await (await ann.ready()).sync(room.id);
  return { ann, room };
}

/** Somebody new in the room; `shown`: what is done with their client before it asks for anything. */
async function joined(room, shown = () => {}) {
  const client = await on.people.stranger();
  await shown(client);
  await client.start();
  await client.rooms.join(room.link_code);
  return client;
}

/** Somebody publishes something, of whom nobody here hears. */
async function grown() {
  const { ann } = await owner();
  ann.stop();
}

/** Goes on with a head that the other never had, and that is not the newest any more: whoever has just sent something keeps it for a while. */
async function keepsOlder(client, other, room) {
  await client.says(room, 'I am here');
  await other.sees(room, 'I am here');
  await grown();
  assert.equal(await asksAgain(client, room), null);
  await grown();
}

/** The newest head is taken before the next thing is sent. */
const asksAgain = (client, room) => {
  client.keys.account.keysChanged(client.user);
  return codeOf(client.keys.account.toSendIn(room.id));
};

/** As when there is no network. */
function gone() {
  throw new TypeError('gone');
}

const codeOf = (act) => act.then(() => null, ({ code }) => code);
const alarms = (client) => client.keys.logAlarms.map(({ why, user }) => (user === null ? why : `${why} ${user}`));
const alarmed = (client) => client.until('an alarm', () => client.keys.logAlarms.length > 0);

test('t4_two_people_who_are_shown_two_logs_know_it_after_one_message_and_those_who_are_shown_one_never_alarm', async () => {
  await grown();
  const { ann, room } = await owner();
  // The first record is of somebody else: nothing that Ben ever asks for is changed.
  const instead = new Map([[0, crypto.getRandomValues(Buffer.alloc(100))]]);
  const [ben, cleo] = [
    await joined(room, async (client) => (await FalseLog.of(ann, on.server, { instead })).show(client)),
    await joined(room, async (client) => (await FalseLog.of(ann, on.server)).show(client)),
  ];
  await agree([ann, ben, cleo], room);
  assert.deepEqual([ann, ben, cleo].map(alarms), [[], [], []]);
  await ann.says(room, 'what do you see');
  for (const client of [ben, cleo]) await client.sees(room, 'what do you see');
  await alarmed(ben);
  assert.deepEqual(alarms(ben), [`split_view ${ann.user}`]);
  await cleo.says(room, 'the same');
  await ann.sees(room, 'the same');
  assert.deepEqual([ann, cleo].map(alarms), [[], []], 'the same through a server that does not lie');

  const id = await (await ben.in(room)).send({ text: 'may I' });
  assert.equal(await codeOf(ben.keys.account.toSendIn(room.id)), 'split_view');
  assert.equal((await ben.in(room)).find(id).state, 'waiting');
  const again = on.people.kept((ben.stop(), ben.anew()));
  again.fetch = ben.fetch;
  await again.start();
  await again.ready();
  assert.equal(await codeOf(again.keys.account.toSendIn(room.id)), 'split_view', 'after a reload too');
  assert.ok(alarms(again).includes(`split_view ${ann.user}`));
  await again.keys.acceptLog();
  await ann.sees(room, 'may I');
  await alarmed(ann);
  assert.deepEqual(alarms(ann), [`split_view ${ben.user}`], 'who is not lied to learns it from the other');
});

test('t4_a_log_that_shrinks_or_goes_another_way_is_noticed_and_one_that_grows_is_not', async () => {
  for (const [change, expected] of [
    [() => ({}), []],
    [(log) => (log.size = log.end - 1), ['not_consistent']],
    [(log) => (log.meddle = (url) => (url.pathname.endsWith('/consistency') ? refused() : null)), ['not_consistent']],
  ]) {
    const { ann, room } = await owner();
    const ben = await joined(room);
    await agree([ann, ben], room);
    const log = (await FalseLog.of(ann, on.server)).show(ben);
    await grown();
    change(log);
    assert.equal(await asksAgain(ben, room), expected.length === 0 ? null : 'split_view');
    assert.deepEqual(alarms(ben), expected);
    if (expected.length === 0) continue;
    Object.assign(log, { size: null, meddle: () => null });
    assert.equal(await asksAgain(ben, room), 'split_view', 'that it is well again takes nothing back');
    await ben.keys.acceptLog();
    await ben.says(room, 'on we go');
    await ann.sees(room, 'on we go');
  }
});

test('t4_another_key_of_the_log_is_noticed_also_over_the_same_records_and_who_goes_on_follows_the_new_one', async () => {
  const { ann, room } = await owner();
  const [ben, cleo] = [await joined(room), await joined(room)];
  await agree([ann, ben, cleo], room);
  (await FalseLog.of(ann, on.server, { key: strangersKey() })).show(ben);
  (await FalseLog.of(ann, on.server)).show(cleo);
  assert.deepEqual([await asksAgain(ben, room), await asksAgain(cleo, room)], ['split_view', null]);
  assert.deepEqual([ben, cleo].map(alarms), [['other_log'], []]);
  await ben.keys.acceptLog();
  await ben.says(room, 'on we go');
  await cleo.sees(room, 'on we go');
  assert.deepEqual([ben, cleo].map(alarms), [[], []]);
});

test('t3_an_identity_that_is_not_in_the_log_is_refused_and_one_that_is_in_it_asks_its_person', async () => {
  for (const [isLogged, expected] of [[false, 'refused'], [true, 'changed']]) {
    const { ann, room } = await owner();
    const ben = await joined(room);
    await agree([ann, ben], room);
    const { records } = await ann.api.call('GET', `e2ee/users/${ann.user}/keys`);
    // A key as good as any: all that is wrong with it is where it stands.
    const { publicKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const { records: more } = await certify(ann.user, new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)), new Uint8Array(Buffer.from(records.at(-1).record, 'base64url')));
    const log = await FalseLog.of(ann, on.server, isLogged ? { more } : {});
    // Without being in it, they are said to stand where others do.
    const places = isLogged ? [log.end, log.end + 1] : [log.end - 2, log.end - 1];
    const swapped = more.map((record, at) => ({ record: Buffer.from(record).toString('base64url'), leaf: places[at] }));
    log.show(ben, new Map([[ann.user, [...records, ...swapped]]]));
    ben.keys.account.keysChanged(ann.user);
    await ben.until('a verdict', async () => (await ben.keys.account.changedIn(room.id), ben.keys.account.trustIn(ann.user) !== 'trusted'));
    assert.equal(ben.keys.account.trustIn(ann.user), expected);
    assert.deepEqual(alarms(ben), []);
    // He would take her out, and the server would not let him.
    ben.stop();
  }
});

test('t4_a_member_who_invents_heads_is_named_once_is_asked_about_seldom_and_keeps_nobody_else_from_being_believed', async () => {
  const { ann, room } = await owner();
  const [ben, mallory] = [await joined(room), await joined(room)];
  await agree([ann, ben, mallory], room);
  await keepsOlder(ben, ann, room);
  const log = (await FalseLog.of(mallory, on.server)).show(ann);
  assert.equal(await asksAgain(ann, room), null);
  log.asked = [];
  await ben.says(room, 'honest, with an older head');
  await ann.sees(room, 'honest, with an older head');
  await ann.until('it to be compared', () => log.asked.some((question) => question.startsWith('consistency')));
  assert.deepEqual(alarms(ann), []);
  log.asked = [];
  for (let count = 1; count <= 12; count += 1) await invents(mallory, room, { size: count, root: base64(crypto.getRandomValues(new Uint8Array(32))) });
  await alarmed(ann);
  await ann.sees(room, 'invented 12');
  assert.deepEqual(alarms(ann), [`split_view ${mallory.user}`]);
  assert.ok(log.asked.length <= MOST_ASKED, log.asked.join());
  await ann.keys.acceptLog();
  await ann.says(room, 'I go on');
  await invents(mallory, room, { size: 13, root: base64(new Uint8Array(32)) });
  await ann.sees(room, 'invented 13');
  assert.equal(await asksAgain(ann, room), null, 'nobody is asked twice about the same member');
  await ben.sees(room, 'I go on');
});

/** A message with a head that was never shown to anybody. */
async function invents(client, room, head) {
  await client.keys.account.sync(room.id);
  const [id, content] = [crypto.randomUUID(), base64(Buffer.from(JSON.stringify({ v: 1, type: 'text', text: `invented ${head.size}` })))];
  const { envelope } = await client.worker.ask({ op: 'seal_message', room: room.id, id, kind: 1, content, seen: null, head, now_ms: Date.now() }, 'sealed');
  await client.api.call('POST', `rooms/${room.id}/messages`, { id, body: toServer(envelope) });
  await client.worker.ask({ op: 'sent', room: room.id, id }, 'done');
}

test('t4_a_proof_that_is_withheld_is_an_alarm_and_one_that_only_fails_for_the_moment_is_asked_for_again', async () => {
  for (const [failure, expected] of [
    [() => refused(), 'split_view'],
    [() => Response.json({ code: 'internal' }, { status: 500 }), null],
    [() => Response.json({ code: 'rate_limited' }, { status: 429 }), null],
    [gone, null],
  ]) {
    const { ann, room } = await owner();
    const ben = await joined(room);
    await agree([ann, ben], room);
    await keepsOlder(ben, ann, room);
    const log = (await FalseLog.of(ben, on.server)).show(ann);
    assert.equal(await asksAgain(ann, room), null);
    log.asked = [];
    log.meddle = (url) => (url.pathname.endsWith('/consistency') ? failure() : null);
    await ben.says(room, 'hello');
    await ann.sees(room, 'hello');
    await ann.until('the proof to be asked for', () => log.asked.length > 0);
    if (expected !== null) {
      await alarmed(ann);
      assert.deepEqual(alarms(ann), [`split_view ${ben.user}`]);
      continue;
    }
    log.meddle = () => null;
    log.asked = [];
    assert.equal(await asksAgain(ann, room), null);
    await ann.until('it to be asked for again', () => log.asked.some((question) => question.startsWith('consistency')));
    await ben.says(room, 'and again');
    await ann.sees(room, 'and again');
    assert.deepEqual(alarms(ann), []);
  }
});
