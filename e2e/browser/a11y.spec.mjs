// Every page and state under axe-core's rules: no violations, wide and narrow, and in dark colours; in Russian in `e2e/long variants`. How a page fits its
// window, and that it goes by keyboard, is in keyboard.spec.mjs and chat-keyboard.spec.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { faults } from './lib/axe.mjs';
import { NARROW } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { Tour } from './lib/tour.mjs';
import { variants } from './lib/variants.mjs';

const WIDE = { width: 1280, height: 800 };

// Both at a time: most of it is waiting for animations.
describe('axe finds nothing in any page and state', { concurrency: true }, () => {
  for (const language of variants(['en', 'ru'])) {
    // Colours are the same in both languages.
    const schemes = language === 'en' ? ['light', 'dark'] : ['light'];
    test(`in ${language}, wide in ${schemes.join(' and ')}, and narrow`, () =>
      during(party(), async (table) => {
        const anna = await table.person('chromium');
        const visitor = await table.stranger('chromium', { language, ...WIDE });
        const found = [];
        let states = 0;
        const look = async (name) => {
          states += 1;
          for (const [size, width] of [[WIDE, 'wide'], [NARROW, 'narrow']]) {
            await visitor.resize(size.width, size.height);
            for (const scheme of width === 'wide' ? schemes : ['light']) {
              await visitor.scheme(scheme);
              // Colours are all that a scheme changes.
              const lines = await faults(visitor, { only_colours: scheme === 'dark' });
              found.push(...lines.map((line) => `${name} (${width}, ${scheme}): ${line}`));
            }
          }
          await visitor.scheme('light');
          await visitor.resize(WIDE.width, WIDE.height);
        };
        await new Tour(table, visitor, anna, look).everything();
        console.log(`${language}: ${states} states, each in ${1 + schemes.length} ways`);
        assert.deepEqual(found, []);
      }));
  }
});
