// The form of what the server says: as it is declared, and whatever is otherwise is dropped before anybody hears it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { MESSAGES, PARTS, isFrame, isWellFormed } from '../net/shapes.js';

const declared = readFileSync(new URL('../protocol.d.ts', import.meta.url), 'utf8').replace(/\/\*\*.*?\*\//gs, '');
const body = (name) => new RegExp(`export type ${name} =([\\s\\S]*?);\\n\\n`).exec(`${declared}\n\n`)?.[1] ?? assert.fail(name);
/** Types that are a choice of words: any text, for a newer server may have more. */
const isWords = (name) => /^[\s|]*"/.test(body(name));

/** A declared type as it is written in the shapes. */
function kindOf(type, optional) {
  const nullable = type.endsWith(' | null');
  const bare = nullable ? type.slice(0, -' | null'.length) : type;
  const list = /^Array<(\w+)>$/.exec(bare)?.[1];
  const name = list ?? bare;
  const known = ['string', 'number', 'boolean'].includes(name) ? name : isWords(name) ? 'string' : name;
  return `${known}${list ? '[]' : ''}${optional ? '??' : nullable ? '?' : ''}`;
}

const fieldsOf = (text) => Object.fromEntries([...text.matchAll(/(\w+)(\??): ([^;]+);/g)].map(([, name, optional, type]) => [name, kindOf(type.trim(), optional === '?')]));

test('every message and every part of one has the form that is declared', () => {
  const messages = {};
  for (const [, text] of body('ServerMessage').matchAll(/\| \{([^}]*)\}/g)) {
    const [, type] = /type: "(\w+)";/.exec(text);
    messages[type] = fieldsOf(text.replace(/type: "\w+";/, ''));
  }
  assert.ok(Object.keys(messages).length > 30);
  assert.deepEqual(MESSAGES, messages);
  for (const name of Object.keys(PARTS)) assert.deepEqual(PARTS[name], fieldsOf(body(name)), name);
});

/** Something of this form. */
function made(kind) {
  if (kind.endsWith('[]')) return [made(kind.slice(0, -2))];
  const bare = kind.replace(/\?+$/, '');
  if (bare in PARTS) return madeOf(PARTS[bare]);
  return { string: 'text', number: 1, boolean: true }[bare];
}
const madeOf = (fields) => Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, made(kind)]));

/** Every place in something, as a path. */
function* places(value, path = []) {
  if (path.length > 0) yield path;
  if (typeof value === 'object' && value !== null) for (const key of Object.keys(value)) yield* places(value[key], [...path, key]);
}

function changedAt(whole, path, change) {
  const copy = structuredClone(whole);
  const holder = path.slice(0, -1).reduce((at, key) => at[key], copy);
  change(holder, path.at(-1));
  return copy;
}

test('each is taken as it is declared and with more in it, and with any one place of another form is not', () => {
  let lies = 0;
  for (const [type, fields] of Object.entries(MESSAGES)) {
    const whole = { seq: 1, type, ...madeOf(fields) };
    assert.ok(isFrame(whole) && isWellFormed(whole), type);
    assert.ok(isWellFormed({ ...whole, later: { more: 1 } }), type);
    for (const path of places(whole)) {
      if (['seq', 'type'].includes(path[0])) continue;
      for (const wrong of [Symbol('none'), { a: 1 }, 'Array', 7n]) {
        const lie = changedAt(whole, path, (holder, key) => (holder[key] = wrong === 'Array' ? [[]] : wrong));
        assert.ok(!isWellFormed(lie), `${type} ${path.join('.')} ${String(wrong)}`);
        lies += 1;
      }
    }
  }
  assert.ok(lies > 300, `${lies}`);
  for (const none of [null, 1, 'text', [], {}, { seq: 1 }, { type: 'ok' }, { seq: '1', type: 'ok' }, { seq: 1.5, type: 'ok' }, { seq: 1, type: null }]) assert.ok(!isFrame(none), JSON.stringify(none));
  for (const type of ['later', 'constructor', '__proto__', 'toString']) assert.ok(isWellFormed({ seq: 1, type }), 'a newer server may say more');
});
