import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { CATALOGUES, ago, errorText, pickLanguage, setLanguage, t } from '../i18n/index.js';

const { en, ru } = CATALOGUES;
const root = new URL('..', import.meta.url);
const sources = (folder, ending) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, root), 'utf8'));

test('both languages have the same texts', () => {
  assert.deepEqual(Object.keys(ru).sort(), Object.keys(en).sort());
});

test('both languages fill in the same values', () => {
  const values = (text) => [...new Set((typeof text === 'string' ? text : Object.values(text).join()).match(/\{\w+\}/g) ?? [])].sort();
  for (const key of Object.keys(en)) assert.deepEqual(values(ru[key]), values(en[key]), key);
});

test('every plural form of a language is there', () => {
  for (const [code, catalogue] of Object.entries(CATALOGUES)) {
    const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories.sort();
    for (const [key, text] of Object.entries(catalogue)) if (typeof text !== 'string') assert.deepEqual(Object.keys(text).sort(), forms, `${code} ${key}`);
  }
});

test('Russian counts people the Russian way', () => {
  setLanguage('ru');
  assert.deepEqual([1, 2, 5, 11, 21, 112].map((count) => t('rooms.members', { count })), ['1 участник комнаты', '2 участника комнаты', '5 участников комнаты', '11 участников комнаты', '21 участник комнаты', '112 участников комнаты']);
  setLanguage('en');
  assert.deepEqual([1, 2].map((count) => t('rooms.members', { count })), ['1 member', '2 members']);
});

test('every code that the server can answer has a text', () => {
  const codes = new Set();
  for (const text of [...sources('../src', '.rs'), ...sources('../media/src', '.rs')]) {
    for (const [, body] of text.matchAll(/fn code\(&self\)[^{]*\{([\s\S]*?)\n {4}\}/g)) for (const [, code] of body.matchAll(/=> "(\w+)"/g)) codes.add(code);
    for (const [, code] of text.matchAll(/\bcode: "(\w+)"/g)) codes.add(code);
  }
  for (const text of sources('../trust/src', '.rs')) {
    for (const [, body] of text.matchAll(/fn code\(self\)[^{]*\{([\s\S]*?)\n {4}\}/g)) for (const [, code] of body.matchAll(/=> "(\w+)"/g)) codes.add(code);
  }
  const missing = [...codes].filter((code) => !(`error.${code}` in en));
  assert.deepEqual(missing, []);
});

/** What the keys refuse that the page deals with by itself, or never asks for: nobody is shown it. */
const DEALT_WITH = new Set(
  'bad_commit bad_group_info bad_head bad_message bad_request bad_welcome expired_commit join_again known_group missing_commits nothing_pending not_strict old_proof other_device other_group own_message past_epoch pending revoked_device unknown_epoch unknown_package unknown_sender wrong_kind epoch_exhausted epoch_passed other_room other_sender unknown_suite no_such_chunk not_consistent other_log other_block other_identity other_kind'.split(' '),
);

test('every code of the keys that a person can come to see has a text', () => {
  const codes = new Set(['storage', 'wasm', 'worker', 'closed', 'failed', 'crashed', 'unexpected']);
  for (const text of sources('crypto/src', '.rs')) {
    for (const [, body] of text.matchAll(/fn code\(self\)[^{]*\{([\s\S]*?)\n {4}\}/g)) for (const [, code] of body.matchAll(/=> "(\w+)"/g)) codes.add(code);
  }
  const missing = [...codes].filter((code) => !(`error.${code}` in en) && !DEALT_WITH.has(code));
  assert.deepEqual(missing, []);
  assert.deepEqual([...DEALT_WITH].filter((code) => !codes.has(code)), []);
});

test('every text that the pages ask for by a written key exists', () => {
  const missing = [];
  for (const folder of ['views', 'ui']) for (const text of sources(folder, '.js')) for (const [, key] of text.matchAll(/\bt\('([\w.]+)'/g)) if (!(key in en)) missing.push(key);
  assert.deepEqual(missing, []);
});

test('an unknown code still says something, and what it was', () => {
  setLanguage('en');
  assert.match(errorText({ code: 'brand_new' }), /brand_new/);
  assert.equal(errorText({ code: 'brand_new', status: 503 }), en['error.server']);
  assert.equal(errorText(undefined), en['error.unknown']);
  assert.match(errorText({ code: 'rate_limited', retryAfterS: 5 }), /5 seconds/);
});

test("the language is the person's, else the browser's first that is known, else English", () => {
  assert.equal(pickLanguage('ru', ['en-US']), 'ru');
  assert.equal(pickLanguage(null, ['de-DE', 'ru-RU', 'en']), 'ru');
  assert.equal(pickLanguage(null, ['de']), 'en');
});

test('times are said in words', () => {
  setLanguage('en');
  assert.equal(ago(0, 30_000), 'this minute');
  assert.equal(ago(0, 5 * 60_000), '5 minutes ago');
  assert.equal(ago(0, 26 * 3_600_000), 'yesterday');
});
