/**
 * The emoji that people read out to each other, by the indices that the worker of the keys gives (`web/crypto/src/safety`): the order is for
 * good. Each has a short name, unlike the others' in either language, in `i18n/words-*.js`.
 */

/** @import { Key } from '../i18n/index.js' */

import { t } from '../i18n/index.js';
import { el } from './dom.js';

/** @type {readonly (readonly [string, Extract<Key, `word.${string}`>])[]} */
export const SAFETY_EMOJI = [
  ['🌵', 'word.cactus'],
  ['🌻', 'word.sunflower'],
  ['🍄', 'word.mushroom'],
  ['🍁', 'word.maple'],
  ['🌈', 'word.rainbow'],
  ['☔', 'word.umbrella'],
  ['⛄', 'word.snowman'],
  ['🔥', 'word.fire'],
  ['🌙', 'word.moon'],
  ['⭐', 'word.star'],
  ['🌋', 'word.volcano'],
  ['🐙', 'word.octopus'],
  ['🐢', 'word.turtle'],
  ['🐧', 'word.penguin'],
  ['🦉', 'word.owl'],
  ['🐝', 'word.bee'],
  ['🦊', 'word.fox'],
  ['🐘', 'word.elephant'],
  ['🐪', 'word.camel'],
  ['🦀', 'word.crab'],
  ['🐋', 'word.whale'],
  ['🐍', 'word.snake'],
  ['🐸', 'word.frog'],
  ['🦔', 'word.hedgehog'],
  ['🐓', 'word.rooster'],
  ['🍋', 'word.lemon'],
  ['🍒', 'word.cherries'],
  ['🍉', 'word.watermelon'],
  ['🥕', 'word.carrot'],
  ['🌽', 'word.corn'],
  ['🍕', 'word.pizza'],
  ['🍞', 'word.bread'],
  ['🧀', 'word.cheese'],
  ['🍰', 'word.cake'],
  ['🔑', 'word.key'],
  ['🔔', 'word.bell'],
  ['🔨', 'word.hammer'],
  ['✂️', 'word.scissors'],
  ['🎈', 'word.balloon'],
  ['🎁', 'word.gift'],
  ['🎩', 'word.hat'],
  ['👓', 'word.glasses'],
  ['👑', 'word.crown'],
  ['💎', 'word.diamond'],
  ['📷', 'word.camera'],
  ['📚', 'word.books'],
  ['🔭', 'word.telescope'],
  ['🧲', 'word.magnet'],
  ['⚓', 'word.anchor'],
  ['🧦', 'word.socks'],
  ['🥁', 'word.drum'],
  ['🎸', 'word.guitar'],
  ['🎺', 'word.trumpet'],
  ['🎯', 'word.target'],
  ['🍇', 'word.grapes'],
  ['🚀', 'word.rocket'],
  ['🚲', 'word.bicycle'],
  ['🚂', 'word.train'],
  ['🚁', 'word.helicopter'],
  ['⛵', 'word.sailboat'],
  ['🏠', 'word.house'],
  ['⛺', 'word.tent'],
  ['🤖', 'word.robot'],
  ['👻', 'word.ghost'],
];

/** To be read out in this order, picture and name. @param {readonly number[]} indices below 64 @param {string} label */
export function safetyEmoji(indices, label) {
  return el('ol', { class: 'safety-emoji', 'aria-label': label, data: { emoji: indices.join(' ') } }, ...indices.map(one));
}

/** @param {number} index */
function one(index) {
  const [picture, key] = SAFETY_EMOJI[index] ?? ['', null];
  return el('li', {}, el('span', { class: 'safety-picture', 'aria-hidden': 'true' }, picture), el('span', {}, key && t(key)));
}
