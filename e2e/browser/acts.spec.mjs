// What people do in a call: leave, mute, share a screen, choose a device, come in twice, and what a moderator may do to them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll, hears, hearsNothingOf, sees, seesMotion, seesNothingOf } from './lib/eyes.mjs';
import { during, inCall, ownParticipant, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

async function callOf(table, engines) {
  const people = [];
  for (const engine of engines) people.push(await table.person(engine));
  const room = await table.room(people);
  await table.join(people, room);
  return { people, room };
}

test('who leaves is gone from every page, and the others go on', () =>
  during(party(), async (table) => {
    const { people } = await callOf(table, ['chromium', 'chromium', 'firefox']);
    const [anna, boris, clara] = people;
    await allSeeAndHearAll(people);
    await clara.click('leave');
    await clara.see('[data-page="ended"]');
    for (const page of [anna, boris]) {
      await page.seeGone(`[data-tile][data-username="${clara.username}"]`);
      await hearsNothingOf(page, clara);
    }
    await allSeeAndHearAll([anna, boris]);
  }));

for (const engine of variants(['chromium', 'firefox'])) {
  test(`who mutes is not heard, who switches the camera off is not seen, until they switch on again (${engine})`, () =>
    during(party(), async (table) => {
      const { people } = await callOf(table, ['chromium', engine]);
      const [anna, boris] = people;
      await allSeeAndHearAll(people);
      await boris.click('toggle-microphone');
      await hearsNothingOf(anna, boris);
      await seesMotion(anna, boris);
      await boris.click('toggle-camera');
      await seesNothingOf(anna, boris);
      await boris.click('toggle-microphone');
      await hears(anna, boris);
      await boris.click('toggle-camera');
      await seesMotion(anna, boris);
    }));
}

test('who is muted by a moderator is heard by nobody, even from a page that sends on', () =>
  during(party(), async (table) => {
    const { people } = await callOf(table, ['chromium', 'chromium', 'chromium']);
    const [anna, boris, clara] = people;
    await allSeeAndHearAll(people);
    const row = `[data-participant="${await ownParticipant(boris)}"]`;
    await anna.click('participants');
    await anna.click('mute-microphone', row);
    for (const page of [anna, clara]) await hearsNothingOf(page, boris);

    // A page that does not obey: it sends its tone again by itself.
    await boris.evaluate(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const [microphone] = window.webcallTest.connections.at(-1).getTransceivers();
      await microphone.sender.replaceTrack(stream.getAudioTracks()[0]);
      window.webcallTest.sent_before = await packetsSent();
      async function packetsSent() {
        const rows = [...(await microphone.sender.getStats()).values()];
        return rows.find((each) => each.type === 'outbound-rtp')?.packetsSent ?? 0;
      }
      window.webcallTest.packetsSent = packetsSent;
    });
    await boris.waitFor('its page to have sent on', async () => (await window.webcallTest.packetsSent()) > window.webcallTest.sent_before + 50);
    for (const page of [anna, clara]) {
      const heard = await page.evaluate((username) => window.webcallTest.hear({ username }), boris.username);
      assert.ok(heard === null || heard.level_db < -55, `${page.label} hears ${JSON.stringify(heard)}`);
      await seesMotion(page, boris);
    }
  }));

test('who is removed by a moderator is out of the call and is told so', () =>
  during(party(), async (table) => {
    const { people } = await callOf(table, ['chromium', 'firefox']);
    const [anna, boris] = people;
    await allSeeAndHearAll(people);
    await anna.click('participants');
    await anna.click('remove-participant', `[data-participant="${await ownParticipant(boris)}"]`);
    await anna.click('confirm', 'dialog');
    await boris.see('[data-page="ended"] [data-reason="removed"]');
    await anna.seeGone(`[data-tile][data-username="${boris.username}"]`);
  }));

for (const [sharing, watching] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`a shared screen is seen with its sound beside the face, and goes again (${sharing} to ${watching})`, () =>
    during(party(), async (table) => {
      const { people } = await callOf(table, [sharing, watching]);
      const [anna, boris] = people;
      await allSeeAndHearAll(people);
      await anna.click('toggle-screen');
      await seesMotion(boris, anna, { kind: 'screen' });
      await hears(boris, anna, { kind: 'screen' });
      await allSeeAndHearAll(people);
      await anna.click('toggle-screen');
      await boris.seeGone('[data-tile][data-kind="screen"]');
      // The second time the m-lines are there already.
      await anna.click('toggle-screen');
      await seesMotion(boris, anna, { kind: 'screen' });
    }));
}

test('a second window of the same user is a second participant', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const boris = await table.person('chromium');
    const room = await table.room([anna, boris]);
    const again = await table.secondWindow(boris);
    await table.join([anna, boris, again], room);
    for (const window of [boris, again]) {
      const participant = await ownParticipant(window);
      await sees(anna, window, { participant });
      await hears(anna, window, { participant });
      await hears(window, anna);
    }
    await again.click('leave');
    await seesMotion(anna, boris);
    await hears(anna, boris);
  }));

test('the camera chosen before the call is the one that is seen', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium'), await table.person('chromium')];
    const room = await table.room([anna, boris]);
    await table.join([anna], room);
    await table.prejoin(boris, room);
    await boris.choose('camera', 'camera-2');
    await boris.click('join-call');
    await inCall(boris);
    await sees(anna, boris, { colour: boris.media.other_colour });
  }));

test('who has no devices, or refuses them, sees and hears the others', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const boris = await table.person('chromium', { media: { denied: true } });
    await table.join([anna, boris], await table.room([anna, boris]));
    await seesMotion(boris, anna);
    await hears(boris, anna);
    await anna.see(`[data-tile][data-username="${boris.username}"]`);
  }));

/** Chromium sends its largest layer once its own estimate of the way has grown, which takes a busy machine a while. */
const GROWING_MS = 120_000;

// The layers of the newest connection's camera: as offered, as answered, and those that packets and pictures have left in.
function layers(page) {
  return page.evaluate(async () => {
    const connection = window.webcallTest.connections.at(-1);
    const named = (description, direction) => new RegExp(`a=simulcast:${direction} (\\S+)`).exec(description?.sdp)?.[1].split(';') ?? [];
    const rows = [...(await connection.getStats()).values()].filter((row) => row.type === 'outbound-rtp' && row.kind === 'video');
    return {
      offered: named(connection.localDescription, 'send'),
      answered: named(connection.remoteDescription, 'recv'),
      sent: Object.fromEntries(rows.filter((row) => row.framesEncoded > 0).map((row) => [row.rid, row.packetsSent])),
    };
  });
}

test('a wide camera is sent in three layers, and a large and a small window see it', () =>
  during(party(), async (table) => {
    const wide = { media: { width: 1280, height: 720 } };
    const [anna, boris, clara] = [await table.person('chromium', wide), await table.person('chromium'), await table.person('firefox')];
    await boris.resize(1600, 1000);
    await clara.resize(360, 640);
    await table.join([anna, boris, clara], await table.room([anna, boris, clara]));
    await allSeeAndHearAll([anna, boris, clara]);
    const { offered, answered } = await layers(anna);
    assert.deepEqual(offered, ['q', 'h', 'f']);
    assert.deepEqual(answered, offered);
    await anna.waitFor('packets in three layers', async () => {
      const rows = [...(await window.webcallTest.connections.at(-1).getStats()).values()];
      const sent = rows.filter((row) => row.type === 'outbound-rtp' && row.kind === 'video' && row.packetsSent > 0);
      return new Set(sent.map((row) => row.rid)).size === 3;
    }, [], GROWING_MS);
    console.log(JSON.stringify({ ...(await layers(anna)), seen: [await sees(boris, anna), await sees(clara, anna)] }));
  }));
