// The checks of the house catch what they are for, and let pass what is allowed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { againstTheArrows } from './arrows.mjs';
import { brokenRules, MAX_LINES } from './rules.mjs';

const caught = (check, path, text, pattern) => {
  const faults = check({ [path]: text });
  assert.equal(faults.length, 1, `${path}: ${JSON.stringify(text)} gave ${JSON.stringify(faults)}`);
  assert.match(faults[0], pattern);
};
const passes = (check, files) => assert.deepEqual(check(files), []);

test('an import against the arrows is caught in each of the three trees', () => {
  caught(againstTheArrows, 'src/store/rooms.rs', 'use crate::http::Router;', /store may not import http/);
  caught(againstTheArrows, 'src/store/rooms.rs', 'use crate::{id::RoomId, rooms::{policy, Room}};', /store may not import rooms/);
  caught(againstTheArrows, 'src/id.rs', 'fn f() -> crate::store::Store { todo() }', /id may not import store/);
  caught(againstTheArrows, 'src/store/rooms.rs', 'use super::super::calls::Call;', /store may not import calls/);
  caught(againstTheArrows, 'src/error.rs', 'use super::signal::Wire;', /error may not import signal/);
  caught(againstTheArrows, 'src/rooms/mod.rs', 'use crate::Root;', /rooms may not import lib/);
  caught(againstTheArrows, 'media/src/codec/vp8.rs', 'use crate::sfu::route::Route;', /codec may not import sfu/);
  caught(againstTheArrows, 'media/src/sfu/mod.rs', 'mod inner { use super::super::net::Worker; }', /sfu may not import net/);
  caught(againstTheArrows, 'web/state/call.js', "import { tile } from '../views/tile.js';", /state may not import views/);
  caught(againstTheArrows, 'web/protocol.js', "export { x } from './net/socket.js';", /protocol may not import net/);
  caught(againstTheArrows, 'web/rtc/call.js', "const later = import('../state/call.js');", /rtc may not import state/);
  caught(againstTheArrows, 'web/e2ee/media/page.js', "import { call } from '../../state/call.js';", /e2ee may not import state/);
  caught(againstTheArrows, 'web/protocol.js', "export { x } from './e2ee/media/kid.js';", /protocol may not import e2ee/);
  caught(againstTheArrows, 'web/rtc/call.js', "import x from 'left-pad';", /no row/);
});

test('a module without a place and a circle in one row are caught', () => {
  caught(againstTheArrows, 'src/http/mod.rs', 'use crate::helpers::x;', /`helpers` has no row/);
  const circle = againstTheArrows({ 'src/rooms/mod.rs': 'use crate::calls::x;', 'src/calls/mod.rs': 'use crate::rooms::y;' });
  assert.deepEqual(circle, ['import in a circle: calls -> rooms -> calls']);
});

test('imports along the arrows, in comments, in strings and in tests pass', () => {
  passes(againstTheArrows, {
    'src/http/rooms.rs': 'use crate::rooms::{self, Room};\nuse crate::store::Store;\nuse super::problem::Problem;',
    'src/store/rooms.rs': '// use crate::http::x;\n/// crate::http::y\nfn f() { let s = "crate::http"; let r = r#"crate::calls::"#; let c = \'"\'; }',
    'src/id.rs': '#[cfg(test)]\nmod tests {\n  use super::*;\n  use crate::http::x;\n}',
    'src/store/tests.rs': 'use crate::http::x;',
    'media/src/net/worker.rs': 'use crate::sfu::Call; fn f<\'a>(x: &\'a str) -> crate::codec::vp8::Frame { x }',
    'web/views/call.js': "// import '../main.js'\nimport { call } from '../state/call.js';\nimport { tile } from './tile.js';",
    'web/state/call.js': "import { lockOf } from '../e2ee/media/counters.js';",
    'web/e2ee/media/kid.js': "import { x } from '../../protocol.js';\nimport { y } from '../../i18n/index.js';",
    'web/state/call.test.js': "import { tile } from '../views/tile.js';",
  });
});

test('a socket, tokio or a clock in the packet core is caught, a value of time is not', () => {
  caught(brokenRules, 'media/src/sfu/call.rs', 'use std::net::UdpSocket;', /UdpSocket/);
  caught(brokenRules, 'media/src/turn/mod.rs', 'use tokio::sync::mpsc;', /tokio/);
  caught(brokenRules, 'media/src/transport/ice.rs', 'let now = Instant::now();', /Instant::now/);
  caught(brokenRules, 'media/src/codec/vp8.rs', 'let now = std::time::SystemTime :: now();', /SystemTime/);
  caught(brokenRules, 'media/src/sfu/call.rs', 'use rtc_sdp::Session;', /webrtc-rs/);
  caught(brokenRules, 'src/calls/mod.rs', 'let x = rtc_sdp::parse(y);', /handle only/);
  passes(brokenRules, {
    'media/src/sfu/call.rs': 'use std::time::Instant; fn poll(now: Instant) {}\n#[cfg(test)]\nmod tests { fn t() { Instant::now(); } }',
    'media/src/sfu/mod.rs': '#[cfg(test)]\nmod properties;',
    'media/src/sfu/properties.rs': 'fn t() { Instant::now(); }',
    'media/src/net/socket.rs': 'use std::net::UdpSocket; let now = Instant::now();',
    'media/src/transport/srtp.rs': 'use rtc_crypto::Aead;',
  });
});

test('unsafe code outside the system calls is caught', () => {
  caught(brokenRules, 'src/main.rs', 'unsafe { x() }', /unsafe/);
  caught(brokenRules, 'media/src/sfu/ring.rs', '#[cfg(test)] mod tests { unsafe fn f() {} }', /unsafe/);
  passes(brokenRules, { 'media/src/net/send.rs': 'unsafe { sendmmsg() }', 'src/lib.rs': '#![deny(unsafe_code)] // unsafe' });
});

test('markup from text, the DOM below the views and inline script or style are caught', () => {
  caught(brokenRules, 'web/ui/element.js', 'box.innerHTML = name;', /innerHTML/);
  caught(brokenRules, 'web/ui/element.js', 'eval(text)', /eval/);
  caught(brokenRules, 'web/state/call.js', 'document.title = name;', /DOM/);
  caught(brokenRules, 'web/rtc/call.js', 'window.addEventListener(f);', /DOM/);
  caught(brokenRules, 'web/rtc/call.js', 'const x = `a ${window.name}`;', /DOM/);
  caught(brokenRules, 'web/e2ee/media/desk.js', 'const box = window.name;', /DOM/);
  caught(brokenRules, 'web/index.html', '<script>1</script>', /inline script/);
  caught(brokenRules, 'web/index.html', '<p style="x">', /inline style/);
  caught(brokenRules, 'web/index.html', '<p onclick="x">', /inline handler/);
  passes(brokenRules, {
    'web/state/call.js': "// the document\nconst text = 'window'; const split = /window\\/\\//; call.window = 3;",
    'web/views/call.js': 'document.title = name;',
    'web/index.html': '<script type="module" src="{{base}}/main.js"></script>',
  });
});

test('a frame that leaves the media worker elsewhere than in its one place is caught', () => {
  caught(brokenRules, 'web/e2ee/media/desk.js', 'transformer.readable.pipeTo(out);', /frames\.js only/);
  caught(brokenRules, 'web/e2ee/media/track.js', 'controller.enqueue(frame);', /frames\.js only/);
  caught(brokenRules, 'web/e2ee/media/track.js', 'const out = given.getWriter();', /frames\.js only/);
  caught(brokenRules, 'web/rtc/call.js', 'sender.createEncodedStreams();', /never in the page/);
  passes(brokenRules, { 'web/e2ee/media/frames.js': 'const out = writable.getWriter(); await out.write(frame);', 'web/net/upload.js': 'controller.enqueue(piece);' });
});

test('a group of the server is caught, and public groups are none', () => {
  caught(brokenRules, 'src/e2ee/groups/check.rs', 'let group = MlsGroup::load(storage, id);', /public groups only/);
  caught(brokenRules, 'trust/src/mls/roster.rs', 'use openmls::group::MlsGroup;', /public groups only/);
  passes(brokenRules, {
    'src/e2ee/groups/check.rs': 'let group = PublicGroup::load(storage, id); // not an MlsGroup',
    'web/crypto/src/group.rs': 'use openmls::group::MlsGroup;',
    'tests/support/mls.rs': 'use openmls::group::MlsGroup;',
  });
});

test('a file over the length is caught unless it is generated', () => {
  const long = '\n'.repeat(MAX_LINES + 1);
  caught(brokenRules, 'src/long.rs', long, /601 lines/);
  passes(brokenRules, { 'src/full.rs': '\n'.repeat(MAX_LINES), 'web/protocol.d.ts': long, 'e2e/package-lock.json': long });
});
