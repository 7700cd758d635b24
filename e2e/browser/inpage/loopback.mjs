// A page with one or both ends of a call without a server between: one sends its synthetic camera and microphone, sealed by the client's
// own media worker, the other opens and shows them in a tile as the call page has it. The page plays the key agreement; nothing else does
// differ from the client. Offers and answers are whole (no trickle), so that the two ends may also be in two browsers.

import { MediaShield, isSupported, startMediaWorker } from '/web/e2ee/media/page.js';

const CALL = new Uint8Array(16).fill(7);
/** The leaves of the two ends. */
const LEAF = { send: 1, receive: 2 };
const ends = { send: null, receive: null };
let types = null;

async function base(leaf, epoch, secret) {
  const text = new TextEncoder().encode(`${leaf} ${epoch} ${secret}`);
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', text)).subarray(0, 16);
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey', 'deriveBits']);
}

/** The worker of an end with somebody before its door (`besieged.mjs`), by a name that the page's policy lets be made. */
function startBesieged() {
  types ??= globalThis.trustedTypes?.createPolicy('webcall-service', { createScriptURL: (url) => url }) ?? { createScriptURL: (url) => url };
  return new Worker(types.createScriptURL('/besieged.js'), { type: 'module' });
}

const siege = new BroadcastChannel('siege');

/** Tells the worker that has a siege what is to be done from now on, if anything, and gives what was done since it last began. */
const besiege = (message) =>
  new Promise((resolve) => {
    siege.onmessage = ({ data }) => resolve(data);
    siege.postMessage(message);
  });

function makeEnd(encrypted, besieged = false) {
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  if (!encrypted) return { pc, shield: null, keys: null, seats: [] };
  const { port1, port2 } = new MessageChannel();
  const end = { pc, shield: new MediaShield(besieged ? startBesieged() : startMediaWorker(), port2), keys: port1, seats: [], sources: [], faults: 0 };
  end.shield.addEventListener('source', ({ detail }) => end.sources.push(detail));
  end.shield.addEventListener('fault', () => (end.faults += 1));
  return end;
}

/** Begins an epoch at one end: what the key agreement would say there, from a secret that both have or do not have. */
async function keys(side, { epoch = 1, because = 'start', secret = 'ours', removed = [] } = {}) {
  const other = side === 'send' ? 'receive' : 'send';
  const own = { leaf: LEAF[side], base: await base(LEAF[side], epoch, secret) };
  const members = [{ leaf: LEAF[other], owner: `p${LEAF[other]}`, session: secret, base: await base(LEAF[other], epoch, secret) }];
  ends[side].keys.postMessage({ type: 'epoch', call: CALL, epoch, because, own, members, removed });
}

/** Another session of the sender, told to the receiver within the epoch. */
async function hello(epoch, secret) {
  const member = { leaf: LEAF.send, owner: `p${LEAF.send}`, session: secret, base: await base(LEAF.send, epoch, secret) };
  ends.receive.keys.postMessage({ type: 'member', epoch, member });
}

const gathered = (pc) =>
  new Promise((resolve) => {
    const check = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
    pc.addEventListener('icegatheringstatechange', check);
    check();
  });

/** All codecs, this one first: so does the client. */
function preferred(codec) {
  const all = RTCRtpSender.getCapabilities('video').codecs;
  const isWanted = ({ mimeType, sdpFmtpLine = '' }) => mimeType.toLowerCase() === `video/${codec}`.toLowerCase() && !sdpFmtpLine.includes('packetization-mode=0');
  return [...all.filter(isWanted), ...all.filter((each) => !isWanted(each))];
}

/** Offers camera and microphone. `encrypted: false` sends frames as they are. */
async function send({ codec, encrypted = true, secret = 'ours', besieged = false }) {
  const isReady = ends.send !== null;
  const end = (ends.send ??= makeEnd(encrypted, besieged));
  const [stream] = await Promise.all([navigator.mediaDevices.getUserMedia({ video: true, audio: true }), encrypted && !isReady && keys('send', { secret })]);
  end.stream = stream;
  for (const [kind, source] of [['audio', 'microphone'], ['video', 'camera']]) {
    const transceiver = end.pc.addTransceiver(stream.getTracks().find((track) => track.kind === kind), { direction: 'sendonly' });
    end.shield?.sealing(transceiver.sender, source);
    if (kind === 'video') transceiver.setCodecPreferences(preferred(codec));
  }
  await end.pc.setLocalDescription();
  return gathered(end.pc);
}

/** Answers, and shows what comes. `encrypted: false` has no transform: what a server could see. */
async function receive(sdp, { encrypted = true, secret = 'ours', owner = 'p1', besieged = false } = {}) {
  const isReady = ends.receive !== null;
  const end = (ends.receive ??= makeEnd(encrypted, besieged));
  if (encrypted && !isReady) await keys('receive', { secret });
  end.pc.ontrack = ({ receiver, track }) => {
    if (encrypted) {
      const name = end.shield.opening(receiver, track.kind);
      end.seats.push(name);
      end.shield.seat(name, { owner, kind: 'person' });
    }
    show(track);
  };
  await end.pc.setRemoteDescription({ type: 'offer', sdp });
  await end.pc.setLocalDescription();
  return gathered(end.pc);
}

const accept = (sdp) => ends.send.pc.setRemoteDescription({ type: 'answer', sdp });

function show(track) {
  const element = document.querySelector(track.kind === 'video' ? '[data-tile] video' : 'audio');
  element.srcObject = new MediaStream([track]);
  void element.play().catch(() => {});
}

/** Says again who sits on the receiving tracks. */
function seat(owner) {
  for (const name of ends.receive.seats) ends.receive.shield.seat(name, owner && { owner, kind: 'person' });
}

/** Starts an end's worker and waits until it has its keys, as the client does while the person still looks at the pre-join page. */
async function ready(side) {
  ends[side] = makeEnd(true);
  await keys(side);
  while ((await ends[side].shield.report()).epoch === null) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Everything at once, in this page: how long until the picture is there, in ms. */
async function firstFrame(codec, how) {
  if (how === 'sealed') await Promise.all([ready('send'), ready('receive')]);
  const encrypted = how !== 'plain';
  const start_ms = performance.now();
  await accept(await receive(await send({ codec, encrypted }), { encrypted }));
  while (window.webcallTest.look({ username: 'anna' }) === null) await new Promise((resolve) => requestAnimationFrame(resolve));
  const took_ms = performance.now() - start_ms;
  close();
  return took_ms;
}

function close() {
  for (const side of ['send', 'receive']) {
    ends[side]?.stream?.getTracks().forEach((track) => track.stop());
    ends[side]?.pc.close();
    ends[side]?.shield?.close();
    ends[side] = null;
  }
  for (const element of document.querySelectorAll('video, audio')) element.srcObject = null;
}

window.loopback = {
  send,
  receive,
  accept,
  keys,
  hello,
  seat,
  firstFrame,
  close,
  besiege,
  supported: isSupported(),
  codecs: [...new Set(RTCRtpSender.getCapabilities('video').codecs.map(({ mimeType }) => mimeType.replace('video/', '')))],
  report: async (side) => ({ ...(await ends[side].shield.report()), sources: ends[side].sources, faults: ends[side].faults }),
};
