import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emptied } from '../state/chat/records.js';
import { Timeline } from '../state/chat/timeline.js';
import { ANNA, BORIS, ME, ROOM, uuid } from './chat-server.js';

/** Records of a log, from who says what. */
class Log {
  records = [];
  #add(fields, id = uuid(1_000 + this.records.length)) {
    const record = { room: ROOM, seq: this.records.length + 1, id, at: (this.records.length + 1) * 10, content: null, about: null, ...fields };
    this.records.push(record);
    return record.id;
  }
  text(sender, text, fields = {}) {
    return this.#add({ kind: 'message', sender, content: JSON.stringify({ v: 1, type: 'text', text, ...fields }) });
  }
  edit(sender, of, text) {
    return this.#add({ kind: 'message', sender, about: of, content: JSON.stringify({ v: 1, type: 'edit', of, text }) });
  }
  react(sender, to, emoji, on = true) {
    return this.#add({ kind: 'message', sender, about: to, content: JSON.stringify({ v: 1, type: 'reaction', to, emoji, on }) });
  }
  mark(kind, about) {
    return this.#add({ kind, sender: ME, about });
  }
}

function folded(...batches) {
  const timeline = new Timeline(ME);
  for (const batch of batches) timeline.put(batch);
  return timeline;
}
const all = (timeline) => timeline.slice(0, timeline.length);

/** mulberry32: the same numbers every run. */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test('the newest edit by the sender is what a message says, and the others are its history', () => {
  const log = new Log();
  const id = log.text(ANNA, 'one');
  log.edit(ANNA, id, 'two');
  log.edit(ANNA, id, 'three');
  const [message] = all(folded(log.records));
  assert.equal(message.text, 'three');
  assert.deepEqual(message.edited, [{ text: 'one', at: 10 }, { text: 'two', at: 20 }]);
});

test('an edit by somebody else changes nothing, even when it comes first', () => {
  const log = new Log();
  const id = log.text(ANNA, 'mine');
  log.edit(BORIS, id, 'forged');
  for (const order of [log.records, [...log.records].reverse()]) {
    const [message] = all(folded(order));
    assert.equal(message.text, 'mine');
    assert.deepEqual(message.edited, []);
  }
});

test('an edit of nothing is no message of its own', () => {
  const log = new Log();
  log.edit(ANNA, uuid(9_999), 'of nothing');
  assert.equal(folded(log.records).length, 0);
});

test('the last word of each person about each emoji counts', () => {
  const log = new Log();
  const id = log.text(ANNA, 'hello');
  log.react(BORIS, id, '👍');
  log.react(ME, id, '🎉');
  log.react(ME, id, '👍');
  log.react(ME, id, '🎉', false);
  assert.deepEqual(all(folded(log.records))[0].reactions, [{ emoji: '👍', users: [BORIS, ME], own: true }]);
});

test('nothing of a deleted message is shown', () => {
  const log = new Log();
  const id = log.text(ANNA, 'secret', { files: [{ id: uuid(5), name: 'a.txt', type: 'text/plain', size: 1 }] });
  log.edit(ANNA, id, 'secret too');
  log.react(BORIS, id, '👍');
  log.mark('pin', id);
  log.mark('deletion', id);
  const [message, ...rest] = all(folded(log.records));
  assert.deepEqual(rest, []);
  assert.equal(message.kind, 'deleted');
  assert.ok(!JSON.stringify(message).includes('secret'));
  assert.deepEqual([message.reactions, message.files, message.edited, message.pinned], [[], [], [], false]);
});

test('an old page does not bring the text of a deleted message back', () => {
  const log = new Log();
  const id = log.text(ANNA, 'secret');
  log.mark('deletion', id);
  const timeline = folded([{ ...log.records[0], content: null }, log.records[1]], [log.records[0]]);
  assert.equal(all(timeline)[0].kind, 'deleted');
});

test('a deleted edit is taken out of its message', () => {
  const log = new Log();
  const id = log.text(ANNA, 'first');
  const edit = log.edit(ANNA, id, 'regretted');
  log.mark('deletion', edit);
  const timeline = folded(log.records);
  assert.equal(timeline.length, 1);
  assert.deepEqual([timeline.at(0).text, timeline.at(0).edited], ['first', []]);
});

test('the last pin or unpin counts', () => {
  const log = new Log();
  const id = log.text(ANNA, 'rules');
  log.mark('pin', id);
  assert.equal(all(folded(log.records))[0].pinned, true);
  log.mark('unpin', id);
  assert.equal(all(folded([...log.records].reverse()))[0].pinned, false);
});

test('the same set of records folds to the same messages, in whatever order and batches it comes', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const pick = (list) => list[Math.floor(random() * list.length)];
    const log = randomLog(random, pick, 60);
    const records = seed % 2 === 0 ? log.records : asTombstones(log.records);
    const expected = all(folded(records));
    const shuffled = [...records].sort(() => random() - 0.5);
    const timeline = new Timeline(ME);
    while (shuffled.length > 0) {
      const batch = shuffled.splice(0, 1 + Math.floor(random() * 9));
      timeline.put(batch);
      if (random() < 0.3) timeline.put([pick(records)].filter((record) => !shuffled.includes(record)));
    }
    assert.deepEqual(all(timeline), expected, `seed ${seed}`);
    for (const [index, message] of expected.entries()) assert.equal(timeline.indexOf(message.id), index);
  }
});

/** What a device gets that never had the texts of what is deleted. */
function asTombstones(records) {
  const gone = new Set(records.filter(({ kind }) => kind === 'deletion').map(({ about }) => about));
  return records.map((record) => (gone.has(record.id) && record.kind === 'message' ? { ...record, content: null, about: null } : record));
}

test('what a device never had as a text is no row once it is deleted: a message, an edit or a reaction', () => {
  const log = new Log();
  const id = log.text(ANNA, 'secret');
  const parts = [log.edit(ANNA, id, 'secret too'), log.react(ANNA, id, '👍')];
  for (const gone of [id, ...parts]) log.mark('deletion', gone);
  log.text(BORIS, 'still here');
  for (const order of [asTombstones(log.records), asTombstones(log.records).reverse()]) assert.deepEqual(all(folded(order)).map(({ text }) => text), ['still here']);
});

test('who had the text sees that it was deleted, and still does when the local copy has only what is left', () => {
  const log = new Log();
  const id = log.text(ANNA, 'read here');
  log.mark('deletion', id);
  assert.deepEqual(all(folded(log.records)).map(({ kind }) => kind), ['deleted']);
  assert.deepEqual(all(folded(log.records.map(emptied))).map(({ kind }) => kind), ['deleted']);
});

test('a deleted message that an answer, a reaction, an edit or a pin still speaks of is shown as deleted, whatever comes first', () => {
  const speaking = [
    (log, id) => log.text(BORIS, 'quite so', { reply_to: id }),
    (log, id) => log.react(BORIS, id, '👍'),
    (log, id) => log.edit(ANNA, id, 'left behind'),
    (log, id) => log.mark('pin', id),
  ];
  for (const speak of speaking) {
    const log = new Log();
    const id = log.text(ANNA, 'never seen');
    speak(log, id);
    log.mark('deletion', id);
    const records = asTombstones(log.records);
    for (const timeline of [folded(records), folded([...records].reverse()), folded(...records.map((record) => [record]))]) {
      assert.deepEqual([timeline.find(id)?.kind, timeline.indexOf(id)], ['deleted', 0]);
      assert.ok(!JSON.stringify(timeline.at(0)).includes('left behind'));
    }
  }
});

test('a look at a pinned message far back does not put it among those that are loaded', () => {
  const log = new Log();
  const id = log.text(ANNA, 'old rule');
  log.react(BORIS, id, '👍');
  const timeline = new Timeline(ME);
  assert.equal(timeline.look(log.records[0]).text, 'old rule');
  timeline.put(log.records.slice(1));
  assert.equal(timeline.length, 0);
});

test('with a message go its edits by the same sender and own reactions', () => {
  const log = new Log();
  const id = log.text(ANNA, 'one');
  const edit = log.edit(ANNA, id, 'two');
  log.edit(BORIS, id, 'forged');
  log.react(BORIS, id, '👍');
  const own = log.react(ME, id, '👍');
  assert.deepEqual(folded(log.records).partsOf(id), [edit, own]);
});

function randomLog(random, pick, length) {
  const log = new Log();
  const ids = [];
  const people = [ME, ANNA, BORIS];
  while (log.records.length < length) {
    const target = ids.length > 0 && random() < 0.9 ? pick(ids) : uuid(7);
    const dice = random();
    if (dice < 0.35) ids.push(log.text(pick(people), `text ${log.records.length}`, random() < 0.2 ? { reply_to: target } : {}));
    else if (dice < 0.55) ids.push(log.edit(pick(people), target, `edit ${log.records.length}`));
    else if (dice < 0.75) ids.push(log.react(pick(people), target, pick(['👍', '🎉']), random() < 0.7));
    else if (dice < 0.85) log.mark('deletion', target);
    else log.mark(pick(['pin', 'unpin']), target);
  }
  return log;
}

const item = (content, fields = {}) => ({ order: 1, id: uuid(50), room: ROOM, content: JSON.stringify({ v: 1, ...content }), files: [], at: 99, state: 'waiting', code: null, ...fields });

test('what waits stands at the end until the log has it, with the same id', () => {
  const log = new Log();
  log.text(ANNA, 'hello');
  const timeline = folded(log.records);
  const waiting = item({ type: 'text', text: 'soon' });
  timeline.setOutbox([waiting]);
  assert.deepEqual([timeline.length, timeline.at(1).state, timeline.at(1).seq], [2, 'waiting', null]);
  timeline.put([{ room: ROOM, seq: 2, id: waiting.id, kind: 'message', sender: ME, at: 20, content: waiting.content, about: null }]);
  assert.deepEqual([timeline.length, timeline.at(1).state, timeline.at(1).seq], [2, 'sent', 2]);
  assert.equal(timeline.indexOf(waiting.id), 1);
});

test('a waiting edit and a waiting reaction are shown at once, a refused edit is not', () => {
  const log = new Log();
  const id = log.text(ME, 'old');
  const timeline = folded(log.records);
  timeline.setOutbox([item({ type: 'edit', of: id, text: 'new' }), item({ type: 'reaction', to: id, emoji: '👍', on: true }, { id: uuid(51) })]);
  assert.deepEqual([timeline.at(0).text, timeline.at(0).editState, timeline.at(0).reactions.length], ['new', 'waiting', 1]);
  timeline.setOutbox([item({ type: 'edit', of: id, text: 'new' }, { state: 'failed', code: 'room_locked' })]);
  assert.deepEqual([timeline.at(0).text, timeline.at(0).editState, timeline.at(0).code, timeline.at(0).reactions], ['old', 'failed', 'room_locked', []]);
  timeline.setOutbox([]);
  assert.equal(timeline.at(0).editState, 'sent');
});

test('only messages of others count as unread, and deleted ones do not', () => {
  const log = new Log();
  log.text(ANNA, 'read before');
  log.text(ME, 'own');
  const gone = log.text(ANNA, 'gone');
  log.text(BORIS, 'for @me', { mentions: [ME] });
  log.react(ANNA, gone, '👍');
  log.mark('deletion', gone);
  const timeline = folded(log.records);
  assert.deepEqual(timeline.countAfter(1, 1_000), { unread: 1, mentions: 1 });
  assert.equal(timeline.firstOfOthersAfter(1).seq, 4);
});

test('a message that did not change stays the same object', () => {
  const log = new Log();
  const first = log.text(ANNA, 'one');
  log.text(ANNA, 'two');
  const timeline = folded(log.records);
  const [before, other] = all(timeline);
  log.react(ME, first, '👍');
  timeline.put(log.records.slice(2));
  assert.notEqual(timeline.at(0), before);
  assert.equal(timeline.at(1), other);
});
