/** The composition root: makes every store once, wires them to the browser and to each other, and starts the router. */

import { language, pickLanguage, setLanguage, t } from './i18n/index.js';
import { Api, ApiError } from './net/api.js';
import { greeting } from './net/greeting.js';
import { Service } from './net/service.js';
import { SignalSocket } from './net/socket.js';
import { PutOff, blobSource, isKept, upload } from './net/upload.js';
import { DeviceError, openDevices } from './rtc/devices.js';
import { echo } from './rtc/echo.js';
import { tryWay } from './rtc/probe.js';
import { CallStore } from './state/call.js';
import { browserDevice, databases } from './state/chat/device.js';
import { ChatStore } from './state/chat/store.js';
import { ClientCode } from './state/client-code.js';
import { DiagnosticsStore } from './state/diagnostics.js';
import { openKeys } from './state/keys/open.js';
import { KeysStore } from './state/keys/store.js';
import { LocalMedia } from './state/media.js';
import { NoticesStore } from './state/notices.js';
import { Preferences, browserStorage } from './state/preferences.js';
import { RoomsStore } from './state/rooms.js';
import { SessionStore } from './state/session.js';
import { shielding } from './state/shielding.js';
import { SignedIn } from './state/signed-in.js';
import { mountAnnouncer } from './ui/announce.js';
import { saveBlob } from './ui/save.js';
import { standIns } from './ui/stand-in.js';
import { thumbnailOf } from './ui/thumbnail.js';
import { mountToasts, toast } from './ui/toast.js';
import { Router } from './views/router.js';
import { browserLabel } from './views/user-agent.js';

const preferences = new Preferences(browserStorage());
const api = new Api();
const windows = 'BroadcastChannel' in globalThis ? new BroadcastChannel('webcall') : null;
const session = new SessionStore(api, windows, new SignedIn(browserStorage()));
const rooms = new RoomsStore(api, browserStorage());
globalThis.addEventListener('storage', () => rooms.readAgain());
const media = new LocalMedia(preferences);
/** @type {import('./net/socket.js').Wiring} */
const wiring = {
  ticket: async () => (await api.call('POST', 'ws-ticket')).ticket,
  open: (protocols) => new WebSocket(new URL('/api/v1/ws', location.href.replace(/^http/, 'ws')), protocols),
  random: Math.random,
};
const socket = new SignalSocket(wiring);
const keys = new KeysStore(socket, session, rooms, openKeys(api, rooms, location.hostname));
const call = new CallStore(socket, media, preferences, shielding(keys));
const chat = new ChatStore(api, socket, session, rooms, browserDevice(preferences), keys);
const service = new Service();
const clientCode = new ClientCode(service, databases());
new NoticesStore(keys, rooms, session, { language, databases });
const diagnostics = new DiagnosticsStore(
  api,
  {
    greet: (signal) => greeting(wiring, signal),
    tryWay,
    openDevice: async (name) => {
      const wanted = { microphone: preferences.get('microphone'), camera: preferences.get('camera') };
      const tracks = await openDevices(name === 'microphone' ? wanted : null, name === 'camera' ? wanted : null);
      const track = tracks[name];
      if (track === null) throw new DeviceError('device_missing');
      return track;
    },
    standIns,
    echo,
    now: () => performance.now(),
  },
  browserLabel(navigator.userAgent),
);

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {import('./views/page.js').Files} */
const files = {
  upload: async (blob, { room, progress, ...course }) => {
    const part = (/** @type {number} */ received, /** @type {number} */ size) => progress(size === 0 ? 1 : received / size);
    return { id: await upload(api, room, blobSource(blob), { ...course, progress: part }) };
  },
  putOff: () => new PutOff(),
  isKept,
  discard: (id) => void api.call('DELETE', `files/${encodeURIComponent(id)}`).catch(() => {}),
  thumbnail: thumbnailOf,
  seal: async (blob) => {
    if (keys.account === null) throw new ApiError('keys_waiting', 0);
    // Name and type stand in the sealed message.
    return keys.account.sealFile(blob, { name: '', type: '' });
  },
  download: async ({ id, name, sealed }) => {
    const file = await api.blob(`files/${encodeURIComponent(id)}`);
    if (sealed === undefined) return saveBlob(file, name);
    if (keys.account === null) throw new ApiError('keys_waiting', 0);
    const opened = await keys.account.openFile(file, sealed).catch(() => {
      throw new ApiError('file_damaged', 0);
    });
    saveBlob(opened, name);
  },
};
/** @type {import('./views/page.js').App} */
const app = { session, rooms, chat, files, media, call, keys, diagnostics, clientCode, preferences, go: (path) => router.go(path), redraw: () => router.draw() };
const router = new Router(app, root);

/** How many messages wait stands before the page's own title. */
function countInTitle() {
  const { messages } = chat.unread;
  const title = document.title.replace(/^\(\d+\) /, '');
  const now = messages > 0 ? `(${messages}) ${title}` : title;
  if (now !== document.title) document.title = now;
}

/** The page's language and theme follow the preferences. */
function dress() {
  const language = pickLanguage(preferences.get('language'), navigator.languages);
  setLanguage(language);
  document.documentElement.lang = language;
  const theme = preferences.get('theme');
  if (theme) document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}

preferences.addEventListener('change', (event) => {
  const { key } = /** @type {CustomEvent} */ (event).detail;
  if (key !== 'language' && key !== 'theme') return;
  dress();
  if (key === 'language') router.draw();
});
session.addEventListener('change', () => {
  if (session.status !== 'signed-out') return;
  rooms.forget();
  if (session.signedInSince === null) rooms.leaveNothing();
  diagnostics.forget();
});
clientCode.addEventListener('changed', () => toast(t('client.updated')));
clientCode.addEventListener('alarm', () => toast(t('client.alarm'), 'problem'));
chat.addEventListener('change', countInTitle);
document.addEventListener('visibilitychange', () => chat.setAway(document.visibilityState !== 'visible'));
document.addEventListener('visibilitychange', () => document.visibilityState !== 'visible' && keys.hurry());
globalThis.addEventListener('online', () => socket.nudge());
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && socket.nudge());
// Closing the window is leaving: nobody should look at a frozen tile until the server notices.
globalThis.addEventListener('pagehide', () => call.leave());
globalThis.addEventListener('pagehide', () => chat.flush());
globalThis.addEventListener('pagehide', () => keys.hurry());
globalThis.addEventListener('pageshow', (event) => event.persisted && location.reload());

dress();
mountAnnouncer();
mountToasts();
router.draw();
void session.restore();
service.begin((path) => router.go(path));
