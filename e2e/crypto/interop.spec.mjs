// Our client's cryptography, as browsers run it, in one MLS group (RFC 9420) with ts-mls, which others wrote from the same RFC. What our side
// reads differently than the RFC has it, our own tests cannot show: both of their sides are openmls.
//
// Ann, Ben and Bob are of ours; Tom, Tim and Tia on ts-mls. Not here: external commits by ts-mls. Its 1.6.4 reads and writes `external_pub`
// without the length of the vector in it (RFC 9420 §12.4.3.1), so it comes in by welcomes only; that it follows external commits is tested.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { base64, fromBase64, fromUuid, join, number, turned } from './lib/bytes.mjs';
import { builtDesk } from './lib/built.mjs';
import { Published } from './lib/certificates.mjs';
import { OurDevice } from './lib/ours.mjs';
import { TheirDevice } from './lib/theirs.mjs';

const ROOM = { kind: 'room', id: '00000000-0000-7000-8000-0000000000aa' };
const CALL = { kind: 'call', id: '00000000-0000-7000-8000-0000000000bb' };
/**
 * A welcome's suite, behind the version and the kind of message. Unlike openmls, ts-mls 1.6.4 does not compare it with its key package's
 * (RFC 9420 §12.4.3.1); what it does with the rest of the welcome is by the key package's own suite.
 */
const OVERLOOKED_IN_WELCOMES = [4, 5];
const user = (which) => `00000000-0000-7000-8000-${which.toString(16).padStart(12, '0')}`;

let Desk;
before(async () => {
  Desk = await builtDesk();
});

/** So many users with a device each, who have seen each other's records. Ann made the room and added Tom; the others are in no group. */
async function annAndTom({ ours = 1, theirs = 1 } = {}) {
  const published = new Published();
  const [ann, ben, bob] = Array.from({ length: ours }, (_, which) => new OurDevice(Desk, user(1 + which), published));
  const [tom, tim, tia] = await Promise.all(Array.from({ length: theirs }, (_, which) => TheirDevice.of(user(0x100 + which), published)));
  for (const device of [ann, ben, bob]) device?.learns(published);
  ann.creates(ROOM);
  await commits(ann, { add: [await tom.keyPackage()] }, [], [tom]);
  return { published, ann, ben, bob, tom, tim, tia };
}

/** In the order of things: the server takes the commit, the members read it, who is new joins. Gives what each member said of it. */
async function commits(committer, changes, members, comers = []) {
  const { commit, welcome } = await committer.proposes(ROOM, changes);
  committer.accepted(ROOM);
  const said = [];
  for (const member of members) said.push(await member.process(ROOM, commit));
  for (const comer of comers) await comer.joins(welcome);
  return said;
}

/** All of them are in the same epoch of the same group, and everybody reads what each says. */
async function agree(...devices) {
  const at = devices[0].at(ROOM);
  assert.notEqual(at.authenticator, null);
  for (const device of devices) assert.deepEqual(device.at(ROOM), at);
  for (const speaker of devices) {
    const text = `I am ${speaker.user}`;
    const message = await speaker.say(ROOM, text);
    for (const device of devices.filter((one) => one !== speaker)) {
      const heard = await device.hear(ROOM, message);
      assert.deepEqual(heard, device instanceof OurDevice ? { text, user: speaker.user } : { text });
    }
  }
}

const others = (change) => ({ type: 'others', added: [], removed: [], joined: null, ...change });
const throws = (act) => act().then(() => false, () => true);

test('a device on ts-mls joins by our welcome, and both have the same epoch and read each other', async () => {
  const { ann, tom } = await annAndTom();
  const { members, stale } = ann.look(ROOM);
  assert.deepEqual(members.map((member) => member.user), [ann.user, tom.user]);
  assert.deepEqual(stale, []);
  await agree(ann, tom);
});

test('our desk follows a renewal, an addition and a removal by ts-mls', async () => {
  const { ann, ben, tom } = await annAndTom({ ours: 2 });
  assert.deepEqual(await commits(tom, {}, [ann]), [others({})]);
  await agree(ann, tom);

  assert.deepEqual(await commits(tom, { add: [ben.keyPackage()] }, [ann], [ben]), [others({ added: [ben.user] })]);
  await agree(ann, ben, tom);

  const leaf = ben.leaf(ROOM);
  assert.deepEqual(await commits(tom, { remove: [leaf] }, [ann, ben]), [others({ removed: [leaf] }), { type: 'out' }]);
  assert.equal(ben.refusal({ op: 'look', group: ROOM }), 'not_open');
  await agree(ann, tom);
});

test('ts-mls follows a renewal, an addition and a removal by our desk', async () => {
  const { ann, tom, tim } = await annAndTom({ theirs: 2 });
  await commits(ann, {}, [tom]);
  await agree(ann, tom);

  await commits(ann, { add: [await tim.keyPackage()] }, [tom], [tim]);
  await agree(ann, tom, tim);

  await commits(ann, { remove: [tim.leaf(ROOM)] }, [tom, tim]);
  assert.deepEqual([tom.isOut(ROOM), tim.isOut(ROOM)], [false, true]);
  await agree(ann, tom);
});

test('a tree with blanks and with leaves that are not merged yet is the same tree to both', async () => {
  const { ann, ben, bob, tom, tim, tia } = await annAndTom({ ours: 3, theirs: 3 });
  await commits(ann, { add: [ben.keyPackage(), await tim.keyPackage()] }, [tom], [ben, tim]);
  await agree(ann, ben, tom, tim);
  await commits(tim, { add: [bob.keyPackage(), await tia.keyPackage()] }, [ann, ben, tom], [bob, tia]);
  await agree(ann, ben, bob, tom, tim, tia);
  // Tom, then Ben go: paths run over the blanks that they leave. Then Tom comes to where Ben or he himself was.
  await commits(ann, { remove: [tom.leaf(ROOM)] }, [tom, ben, tim, bob, tia]);
  await agree(ann, ben, bob, tim, tia);
  await commits(tia, { remove: [ben.leaf(ROOM)], add: [await tom.keyPackage()] }, [ann, ben, bob, tim], [tom]);
  const all = [ann, bob, tom, tim, tia];
  await agree(...all);
  for (const committer of [tim, bob, tom, ann, tia]) await commits(committer, {}, all.filter((one) => one !== committer));
  await agree(...all);
});

test('of two commits on one epoch both follow the one that the server took, whoever made it', async () => {
  const { ann, tom } = await annAndTom();
  for (const [first, second] of [[tom, ann], [ann, tom]]) {
    await second.proposes(ROOM);
    await commits(first, {}, [second]);
    await agree(ann, tom);
  }
});

test('a message that was on its way during a commit opens once with both', async () => {
  const { ann, tom } = await annAndTom();
  for (const [speaker, listener, refuses] of [
    [tom, ann, (message) => ann.refusal({ op: 'hear', group: ROOM, message: base64(message) }) === 'bad_message'],
    [ann, tom, (message) => throws(() => tom.hear(ROOM, message))],
  ]) {
    const [early, late] = [await speaker.say(ROOM, 'early'), await speaker.say(ROOM, 'late')];
    assert.equal((await listener.hear(ROOM, late)).text, 'late');
    await commits(speaker, {}, [listener]);
    assert.equal((await listener.hear(ROOM, early)).text, 'early');
    for (const message of [early, late]) assert.ok(await refuses(message));
  }
  await agree(ann, tom);
});

test('the keys of a call\'s media are the same by the exporters of both, before and after an external commit of ours', async () => {
  const { ann, ben, tom } = await annAndTom({ ours: 2 });
  await commits(ann, { add: [ben.keyPackage()] }, [tom], [ben]);
  ann.creates(CALL, { room: ROOM.id, participant: '0000000000000001' });
  const session = join(number(1, 1), number(7, 8), crypto.getRandomValues(new Uint8Array(16)));
  const { welcome } = ann.proposes(CALL, { add: [await tom.keyPackage(session)] });
  const { group_info } = ann.look(CALL).outgoing;
  ann.accepted(CALL);
  await tom.joins(welcome);
  await sameMedia(tom, [ann]);

  const stay = { room: ROOM.id, participant: 'fffffffffffffffe' };
  const joining = ben.does({ op: 'join_external', group: CALL, group_info, tree: null, stay, at_least_epoch: 1 });
  ben.accepted(CALL);
  const commit = fromBase64(joining.outgoing.commit);
  assert.deepEqual(ann.process(CALL, commit), others({ joined: ben.user }));
  await tom.process(CALL, commit);
  await sameMedia(tom, [ann, ben]);
});

/** The base key of everybody's media (RFC 9605 §4.4.2), as `web/crypto/src/group/keys.rs` asks the exporter for it. */
async function sameMedia(tom, ours) {
  for (const device of ours) {
    assert.deepEqual(device.at(CALL), tom.at(CALL));
    const { members } = device.does({ op: 'media_keys', group: CALL });
    assert.equal(members.length, ours.length + 1);
    for (const { leaf, session, base } of members) {
      const context = join(fromUuid(CALL.id), number(leaf, 4), fromBase64(session));
      assert.equal(base64(await tom.exports(CALL, 'webcall/sframe/1', context, 16)), base);
      assert.notEqual(base64(await tom.exports(CALL, 'webcall/sframe/2', context, 16)), base);
    }
  }
}

/** Of all the forms of `bytes` with a bit turned, one for each byte, none is taken; then `bytes` themselves are. */
async function onlyUntouched(bytes, refuses, takes, overlooked = []) {
  const taken = [];
  for (const altered of turned(bytes)) if (!(await refuses(altered.bytes))) taken.push(altered.at);
  assert.deepEqual(taken, overlooked, `bytes of ${bytes.length} in which a turned bit went unseen`);
  await takes(bytes);
}

test('a bit turned in a key package is refused by both', async () => {
  const { ann, ben, tom, tim } = await annAndTom({ ours: 2, theirs: 2 });
  const annRefuses = (bytes) => ann.refusal({ op: 'change', group: ROOM, add: [base64(bytes)], users: [tim.user], remove: [] });
  const tomRefuses = (bytes) => throws(() => tom.proposes(ROOM, { add: [bytes] }));
  await onlyUntouched(await tim.keyPackage(), annRefuses, (bytes) => commits(ann, { add: [bytes] }, [tom], [tim]));
  await onlyUntouched(ben.keyPackage(), tomRefuses, (bytes) => commits(tom, { add: [bytes] }, [ann, tim], [ben]));
  await agree(ann, ben, tom, tim);
});

test('a bit turned in a welcome is refused by both', async () => {
  const { ann, ben, tom, tim } = await annAndTom({ ours: 2, theirs: 2 });
  const timRefuses = (bytes) => throws(() => tim.joins(bytes));
  const benRefuses = (bytes) => ben.refusal({ op: 'join', welcome: base64(bytes) });
  const anns = ann.proposes(ROOM, { add: [await tim.keyPackage()] });
  ann.accepted(ROOM);
  await tom.process(ROOM, anns.commit);
  await onlyUntouched(anns.welcome, timRefuses, (bytes) => tim.joins(bytes), OVERLOOKED_IN_WELCOMES);
  const toms = await tom.proposes(ROOM, { add: [ben.keyPackage()] });
  tom.accepted(ROOM);
  for (const member of [ann, tim]) await member.process(ROOM, toms.commit);
  await onlyUntouched(toms.welcome, benRefuses, (bytes) => ben.joins(bytes));
  await agree(ann, ben, tom, tim);
});

test('a bit turned in a commit is refused by both, be it a renewal, an addition or a removal', async () => {
  const { ann, ben, tom } = await annAndTom({ ours: 2 });
  const refusals = new Map([
    [ann, (bytes) => ann.refusal({ op: 'process', group: ROOM, commit: base64(bytes) })],
    [tom, (bytes) => throws(() => tom.process(ROOM, bytes))],
  ]);
  const bens = 2;
  for (const [committer, reader] of [[tom, ann], [ann, tom]]) {
    for (const changes of [{}, { add: [ben.keyPackage()] }, { remove: [bens] }]) {
      const { commit } = await committer.proposes(ROOM, changes);
      committer.accepted(ROOM);
      await onlyUntouched(commit, refusals.get(reader), (bytes) => reader.process(ROOM, bytes));
    }
  }
  await agree(ann, tom);
});

test('a bit turned in a message is refused by both', async () => {
  const { ann, tom } = await annAndTom();
  const annRefuses = (bytes) => ann.refusal({ op: 'hear', group: ROOM, message: base64(bytes) });
  const tomRefuses = (bytes) => throws(() => tom.hear(ROOM, bytes));
  const hears = (device, text) => async (bytes) => assert.equal((await device.hear(ROOM, bytes)).text, text);
  await onlyUntouched(await tom.say(ROOM, 'to Ann'), annRefuses, hears(ann, 'to Ann'));
  await onlyUntouched(ann.say(ROOM, 'to Tom'), tomRefuses, hears(tom, 'to Tom'));
  await agree(ann, tom);
});

test('t1: a device that Tom knows and Ann was never shown is refused by her until it is published to her', async () => {
  const { published, ann, tom } = await annAndTom();
  const ghost = await TheirDevice.of(user(0x666), published);
  const own = ann.refusal({ op: 'change', group: ROOM, add: [base64(await ghost.keyPackage())], users: [ghost.user], remove: [] });
  assert.equal(own, 'not_vouched');
  const { commit, welcome } = await tom.proposes(ROOM, { add: [await ghost.keyPackage()] });
  tom.accepted(ROOM);
  assert.equal(ann.refusal({ op: 'process', group: ROOM, commit: base64(commit) }), 'not_vouched');
  ann.learns(published);
  assert.deepEqual(ann.process(ROOM, commit), others({ added: [ghost.user] }));
  await ghost.joins(welcome);
  await agree(ann, tom, ghost);
});

test('t2: what the RFC allows and our rules do not is refused, though another implementation has made it well', async () => {
  const { ann, ben, tom } = await annAndTom({ ours: 2 });
  await commits(tom, { add: [ben.keyPackage()] }, [ann], [ben]);
  const remove = [ben.leaf(ROOM)];
  const refusal = (bytes) => ann.refusal({ op: 'process', group: ROOM, commit: base64(bytes) });

  assert.equal(refusal((await tom.proposes(ROOM, { remove }, { wireAsPublicMessage: false })).commit), 'wire_format', 'an encrypted commit');
  // With a removal, for the sake of the path: ts-mls 1.6.4 makes none for the extensions alone, though they require one (RFC 9420 §17.4).
  const extensions = { proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [] } };
  assert.equal(refusal((await tom.proposes(ROOM, { remove, others: [extensions] })).commit), 'proposal', 'another context of the group');
  const inline = (await tom.proposes(ROOM, { remove })).commit;

  assert.equal(refusal(await tom.proposesApart(ROOM, remove[0])), 'proposal', 'a proposal on its own');
  assert.equal(refusal((await tom.proposes(ROOM)).commit), 'bad_commit', 'a proposal by reference, to one that nobody took');
  assert.deepEqual(ann.process(ROOM, inline), others({ removed: remove }), 'the same removal, as it may be');
});
