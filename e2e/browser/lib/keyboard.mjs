// Going through a page by the keyboard alone, as who sees where the focus is.

import assert from 'node:assert/strict';

/** More stops than any page has. */
const MOST_STOPS = 60;

/** Presses Tab until the focus is on what is wanted; every stop on the way can be seen. */
export async function tabTo(page, selector, key = 'Tab') {
  const stops = [];
  for (let count = 0; count < MOST_STOPS; count += 1) {
    await page.key(key);
    const { here, what } = await page.evaluate((wanted) => window.webcallTest.focus(wanted), selector);
    stops.push(what);
    await page.waitFor(`the focus to be seen on ${what}`, () => window.webcallTest.focus('*').seen);
    await page.waitFor(`the focus to be marked on ${what}`, () => window.webcallTest.focus('*').marked);
    if (here) return;
  }
  assert.fail(`Tab never comes to ${selector}:\n${stops.join('\n')}`);
}

/** Comes to what can be pressed, by its `data-action`, and presses it. */
export async function press(page, action) {
  await tabTo(page, `[data-action="${action}"]`);
  await page.key('Enter');
}
