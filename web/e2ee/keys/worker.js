/**
 * The worker of the key agreement: the only place where the secrets of this device are in the open. Only the shell: WebAssembly, storage and
 * ports, given to `door.js`. Its own response, and no other, lets WebAssembly compile (`src/http/headers.rs`).
 */

/** @import { BeginMessage, PageMessage, WorkerMessage } from './interface.js' */

import init, { Desk, FileOpener, FileSealer } from './crypto.js';
import { Door, KeysError } from './door.js';
import { openFile, sealFile } from './files.js';
import { MediaPorts } from './media-ports.js';
import { keepNotices } from './notices.js';
import { IndexedStates } from './storage.js';

/** @type {Promise<Door> | null} */
let door = null;
/** The same, once it is open. @type {Door | null} */
let opened = null;
/** What the door reads and writes. @type {IndexedStates | null} */
let states = null;
/** The user at the door. @type {string | null} */
let whose = null;
const mediaPorts = new MediaPorts();

/** @param {MessageEvent} event */
globalThis.onmessage = ({ data, ports: [port] }) => {
  /** @type {PageMessage} */
  const message = data;
  if (message.type === 'port') {
    if (port) mediaPorts.connect(message.call, port);
    return;
  }
  void answer(message);
};

/** @param {Exclude<PageMessage, { type: 'port' }>} message */
async function answer(message) {
  /** @type {WorkerMessage} */
  let reply;
  try {
    reply = { id: message.id, ...(await act(message)) };
  } catch (error) {
    const code = error instanceof KeysError ? error.code : 'failed';
    // What is asked next opens it again.
    if (states?.isClosed) [door, states] = [null, null];
    reply = opened?.isBroken ? { id: message.id, error: code, isOver: true } : { id: message.id, error: code };
  }
  globalThis.postMessage(reply);
}

/** @param {Exclude<PageMessage, { type: 'port' }>} message */
async function act(message) {
  if (message.type === 'begin') return { device: await begin(message) };
  if (message.type === 'ask') return { answer: await (await theDoor()).ask(message.request) };
  if (message.type === 'seal_file') return sealFile(FileSealer, message.file, message.said).catch(coded);
  if (message.type === 'open_file') return openFile(FileOpener, message.file, message.sealed).catch(coded);
  if (message.type === 'notices') {
    await keepNotices(await theDoor(), indexedDB, whose ?? '', message);
    return {};
  }
  await mediaPorts.pass(await (await theDoor()).mediaKeys({ kind: 'call', id: message.call }, message.epoch), message);
  return {};
}

/** What WebAssembly throws has its code as its message. @param {unknown} error @returns {never} */
function coded(error) {
  throw new KeysError(error instanceof Error && /^[a-z_]+$/.test(error.message) ? error.message : 'failed');
}

/** @param {BeginMessage} message */
async function begin({ user }) {
  if (whose !== null && whose !== user) throw new KeysError('unknown_user');
  whose = user;
  try {
    return await (await theDoor()).begin();
  } catch (error) {
    door = null; // the page may try again
    throw error;
  }
}

/** Opened again after it failed: what is asked in between says nothing of what it is about. */
async function theDoor() {
  if (whose === null) throw new KeysError('unknown_user');
  const own = (door ??= open(whose));
  return own.catch((error) => {
    if (door === own) door = null;
    throw error;
  });
}

/** @param {string} user */
async function open(user) {
  await init({ module_or_path: fetch(new URL('./crypto_bg.wasm', import.meta.url)) }).catch(() => {
    throw new KeysError('wasm');
  });
  try {
    const storage = await IndexedStates.of(user);
    states = storage;
    opened = new Door(await deskOf(storage), storage);
    return opened;
  } catch {
    // Where, the page cannot mend anyway.
    throw new KeysError('storage');
  }
}

/** @param {IndexedStates} storage */
async function deskOf(storage) {
  const key = await storage.stateKey();
  const desk = Desk.open(key);
  key.fill(0);
  if (!desk) throw new KeysError('storage');
  return desk;
}
