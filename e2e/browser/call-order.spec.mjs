// Order in a call of three: hands and signs that everybody sees, and what a moderator does to a microphone, a camera and a place.

import { test } from 'node:test';

import { agree, NARROW } from './lib/chat.mjs';
import { allSeeAndHearAll, hears, hearsNothingOf, seesMotion, seesNothingOf } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const LIST = '#participants';
const of = (person) => `${LIST} [data-username="${person.username}"]`;

/** What a moderator presses beside somebody's name in the list, by the key of its text. */
const moderate = (page, person, key) => page.pressNamed('button', `${words(page, key)}: ${person.username}`, LIST);

/** Tells this person, over their picture, what a moderator did. */
const isTold = (page, key) => page.waitFor(`to be told "${words(page, key)}"`, (text) => document.body.innerText.includes(text), [words(page, key)]);

test('in a call of three a hand is raised and lowered, signs are seen, and a moderator mutes, stops, allows and removes (chromium, firefox)', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium', { language: 'en' });
    const boris = await table.person('firefox', { language: 'ru' });
    const clara = await table.person('chromium', { language: 'ru', ...NARROW });
    const people = [anna, boris, clara];
    const room = await table.room(people);
    await table.join(people, room);
    await allSeeAndHearAll(people);
    await anna.pressNamed('button', `${words(anna, 'call.participants')}, ${words(anna, 'call.people', { count: 3 })}`);

    await boris.key('h');
    await anna.see(`${of(boris)} [data-hand="up"]`);
    await anna.waitFor('the raised hand first in the list', (name) => document.querySelector('#participants li').dataset.username === name, [boris.username]);
    await moderate(anna, boris, 'moderate.lower_hand');
    await boris.see('[data-action="reactions"][data-state="off"]');
    await anna.seeGone(`${of(boris)} [data-hand="up"]`);

    await clara.pressNamed('button', words(clara, 'react.title'));
    await clara.pressNamed('button', words(clara, 'react.party'), '#reactions');
    for (const page of [anna, boris]) await page.waitFor('the sign of Clara', (name) => document.querySelector(`[data-tile][data-username="${name}"]`)?.textContent.includes('🎉'), [clara.username]);

    await moderate(anna, boris, 'moderate.microphone');
    await isTold(boris, 'muted.microphone');
    for (const page of [anna, clara]) await hearsNothingOf(page, boris);
    await moderate(anna, boris, 'moderate.allow.microphone');
    await isTold(boris, 'allowed.microphone');
    await boris.pressNamed('button', words(boris, 'call.microphone_on'));
    for (const page of [anna, clara]) await hears(page, boris);

    await moderate(anna, boris, 'moderate.camera');
    await isTold(boris, 'muted.camera');
    for (const page of [anna, clara]) await seesNothingOf(page, boris);
    await moderate(anna, boris, 'moderate.allow.camera');
    await isTold(boris, 'allowed.camera');
    await boris.pressNamed('button', words(boris, 'call.camera_on'));
    for (const page of [anna, clara]) await seesMotion(page, boris);

    await moderate(anna, clara, 'moderate.remove');
    await agree(anna, 'moderate.remove');
    await clara.see('[data-page="ended"] [data-reason="removed"]');
    await boris.seeGone(`[data-tile][data-username="${clara.username}"]`);
    await allSeeAndHearAll([anna, boris]);
  }));
