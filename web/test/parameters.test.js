// What a sender encodes is changed by one after the other, as Chromium wants it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeParameters, makeKeyframe } from '../rtc/parameters.js';

/** As Chromium's: parameters count until a change that is on its way has arrived. */
class Sender {
  encodings = [{ rid: 'h' }, { rid: 'f' }];
  keyframes = 0;
  #id = 0;
  getParameters() {
    return { transactionId: (this.#id += 1), encodings: this.encodings.map((encoding) => ({ ...encoding })) };
  }
  async setParameters({ transactionId, encodings }, { encodingOptions = [] } = {}) {
    if (transactionId !== this.#id) throw new DOMException('stale', 'InvalidModificationError');
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.#id += 1;
    this.encodings = encodings;
    this.keyframes += encodingOptions.filter(({ keyFrame }) => keyFrame).length;
  }
}

const scale = (by) => ({ encodings }) => {
  for (const encoding of encodings) encoding.scaleResolutionDownBy = by;
  return {};
};

test('changes that are made at once are all made, in order', async () => {
  const sender = new Sender();
  await Promise.all([makeKeyframe(sender), changeParameters(sender, scale(4)), makeKeyframe(sender), changeParameters(sender, scale(2))]);
  assert.deepEqual([sender.keyframes, sender.encodings.map((encoding) => encoding.scaleResolutionDownBy)], [4, [2, 2]]);
  // Without the chain the second of two is lost.
  const bare = new Sender();
  const [first, second] = [bare.getParameters(), bare.getParameters()];
  assert.deepEqual((await Promise.allSettled([bare.setParameters(first), bare.setParameters(second)])).map(({ status }) => status), ['rejected', 'fulfilled']);
});

test('a change that is refused, or is none, keeps nobody from the next', async () => {
  const sender = new Sender();
  const refused = changeParameters(sender, () => {
    throw new Error('no such layer');
  });
  await Promise.all([refused, changeParameters(sender, () => null), changeParameters(sender, scale(3))]);
  assert.deepEqual(sender.encodings.map((encoding) => encoding.scaleResolutionDownBy), [3, 3]);
  sender.encodings = [];
  await makeKeyframe(sender);
  assert.equal(sender.keyframes, 0, 'of nothing there is no picture');
});
