// What is drawn anew and says the same stays where it is: that keeps the focus, and keeps screen readers from saying it again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refill } from '../ui/dom.js';

/** As much of a page as drawing needs; counts what was put into it. */
class FakeElement {
  children = [];
  parent = null;
  dataset = {};

  constructor(page, says, action) {
    this.ownerDocument = page;
    this.says = says;
    if (action !== undefined) {
      const button = new FakeElement(page, '');
      button.dataset.action = action;
      this.insertBefore(button, null);
    }
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get nextElementSibling() {
    return this.parent?.children[this.parent.children.indexOf(this) + 1] ?? null;
  }

  isEqualNode(other) {
    return JSON.stringify([this.says, this.dataset]) === JSON.stringify([other.says, other.dataset]) && this.children.length === other.children.length && this.children.every((each, at) => each.isEqualNode(other.children[at]));
  }

  contains(other) {
    return other === this || this.children.some((each) => each.contains(other));
  }

  insertBefore(child, next) {
    child.remove();
    this.children.splice(next === null ? this.children.length : this.children.indexOf(next), 0, child);
    child.parent = this;
    this.ownerDocument.put.push(child.says);
  }

  remove() {
    if (this.parent === null) return;
    // As browsers do it.
    if (this.contains(this.ownerDocument.activeElement)) this.ownerDocument.activeElement = null;
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = null;
  }

  querySelector(selector) {
    const [, action] = /^\[data-action="(.*)"\]$/.exec(selector);
    return this.children.flatMap((each) => [each, each.querySelector(selector)]).find((each) => each?.dataset.action === action) ?? null;
  }

  focus() {
    this.ownerDocument.activeElement = this;
  }
}

function drawn(...banners) {
  const page = { activeElement: null, put: [] };
  const place = new FakeElement(page, 'place');
  const banner = (says, action) => new FakeElement(page, says, action);
  refill(place, ...banners.map((each) => banner(...each)));
  page.put.length = 0;
  return { page, place, banner, says: () => place.children.map((each) => each.says) };
}

test('what says the same stays with its focus, and only what is new is put in, at its place', () => {
  const { page, place, banner, says } = drawn(['keys changed', 'compare'], ['write it down', 'later']);
  const [first, last] = place.children;
  last.children[0].focus();
  refill(place, banner('keys changed', 'compare'), null, banner('somebody came', 'greet'), false, banner('write it down', 'later'));
  assert.deepEqual(says(), ['keys changed', 'somebody came', 'write it down']);
  assert.ok(place.children[0] === first && place.children[2] === last);
  assert.deepEqual(page.put.filter((each) => each !== ''), ['somebody came']);
  assert.equal(page.activeElement, last.children[0]);
  page.put.length = 0;
  refill(place, first, banner('write it down', 'later'));
  assert.deepEqual([says(), page.put.filter((each) => each !== '')], [['keys changed', 'write it down'], []]);
});

test('where a banner says something else, its button has the focus again; where it goes, nothing takes the focus', () => {
  const { page, place, banner, says } = drawn(['one came', 'greet'], ['write it down', 'later']);
  place.children[0].children[0].focus();
  refill(place, banner('two came', 'greet'), banner('write it down', 'later'));
  assert.deepEqual(says(), ['two came', 'write it down']);
  assert.equal(page.activeElement, place.children[0].children[0]);
  refill(place, banner('write it down', 'later'));
  assert.equal(page.activeElement, null);
});

test('two that look the same are both there', () => {
  const { place, banner, says } = drawn(['same']);
  refill(place, banner('same'), banner('same'));
  assert.deepEqual(says(), ['same', 'same']);
  refill(place);
  assert.deepEqual(says(), []);
});
