// What people do in a conversation: open it, write, wait for a message, choose from its menu. Steps that several specs share.

import { words } from './words.mjs';

/** Narrower than the chat's own breakpoint: a phone. */
export const NARROW = { width: 360, height: 740 };

export async function openChat(table, page, room) {
  await table.open(page, `/rooms/${room.id}?chat`);
  await page.seeNamed('textbox', words(page, 'chat.message'));
}

/** Types a message by keyboard into an empty field, and presses Send. */
export async function write(page, text) {
  await type(page, text);
  await page.pressNamed('button', words(page, 'chat.send'));
}

/** Types at the end of what is in the message field, and leaves it there. */
export async function type(page, text) {
  await page.pressNamed('textbox', words(page, 'chat.message'));
  await page.key('End');
  await page.type(text);
}

/** Waits for a message with this text, and gives its identifier. */
export function reads(page, text, state = 'sent') {
  const find = (wanted, kept) => [...document.querySelectorAll('article.message')].find((each) => each.dataset.state === kept && each.querySelector('.message-text')?.textContent.includes(wanted))?.dataset.message;
  return page.waitFor(`the message "${text}" (${state})`, find, [text, state]);
}

/** The texts of the messages that are shown, from the top. */
export function textsOf(page) {
  return page.evaluate(() => [...document.querySelectorAll('article.message .message-text')].map((each) => each.textContent));
}

export const row = (id) => `article[data-message="${id}"]`;

/** Opens the menu of a message with the right button and chooses from it, by the key of its text. */
export async function choose(page, id, key) {
  await page.see(row(id));
  await page.press(row(id), 'right');
  await page.pressNamed('menuitem', words(page, key));
}

/** Says yes to a question, by the key of what its button says. */
export async function agree(page, key) {
  await page.pressNamed('button', words(page, key), 'dialog[open]');
  await page.seeGone('dialog[open]');
}

/** Waits until a message has these reactions, each with how many and whether one of them is one's own. */
export function hasReactions(page, id, wanted) {
  const find = (selector, expected) => {
    const found = [...document.querySelectorAll(`${selector} .reaction`)].map((each) => [each.dataset.emoji, Number(each.lastElementChild.textContent), each.getAttribute('aria-pressed') === 'true']);
    return JSON.stringify(found) === expected;
  };
  return page.waitFor(`the reactions ${JSON.stringify(wanted)}`, find, [row(id), JSON.stringify(wanted)]);
}
