/** What is around a call, for the tests of `web/state/call.js`: a socket, an engine and devices whose other side is the test. No test itself. */

/** Turns of the microtasks: whatever waits for nothing else is done then. */
export const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

export const source = (name, muted, forbidden = false) => ({ source: name, muted, forbidden });
export const person = (id, fields = {}) => ({ participant: id, user: `u${id}`, username: id, role: 'member', joined_at: 0, sources: [source('microphone', false), source('camera', false)], ...fields });

export class FakeSocket extends EventTarget {
  isUp = true;
  asked = [];
  answers = {};
  connect() {}
  nudge() {}
  drain() {}
  close() {
    this.isUp = false;
  }
  async request(message) {
    this.asked.push(message);
    const answer = this.answers[message.type];
    if (answer instanceof Error) throw answer;
    return answer ?? { type: 'ok' };
  }
  say(message) {
    this.dispatchEvent(new CustomEvent('message', { detail: message }));
  }
  up(resumed) {
    this.isUp = true;
    this.dispatchEvent(new CustomEvent('up', { detail: { resumed } }));
  }
  down() {
    this.isUp = false;
    this.dispatchEvent(new Event('down'));
  }
  count(type) {
    return this.asked.filter((message) => message.type === type).length;
  }
}

export class FakeEngine extends EventTarget {
  state = 'connecting';
  closed = false;
  wanted = 0;
  offered = new Set();
  tracks = new Map();
  restarts = 0;
  negotiations = 0;
  seats = { find: () => null, all: [] };
  negotiate() {
    this.negotiations += 1;
  }
  wantSeats(feeds) {
    this.wanted = feeds;
  }
  applySeats() {}
  restartIce() {
    this.restarts += 1;
  }
  async renewServers(servers) {
    this.servers = servers;
  }
  async setTrack(name, track) {
    this.tracks.set(name, track);
  }
  isOffered(name) {
    return this.offered.has(name);
  }
  close() {
    this.closed = true;
  }
  connect() {
    this.state = 'connected';
    this.dispatchEvent(new Event('state'));
  }
  settle() {
    this.offered = new Set(['microphone', 'camera']);
    this.dispatchEvent(new Event('settled'));
  }
}

export class FakeMedia extends EventTarget {
  microphone = { on: true, track: { id: 'm' }, error: null };
  camera = { on: false, track: null, error: null };
  screen = null;
  async set(name, state) {
    this[name] = { on: state === 'on', track: { id: name, getSettings: () => ({}) }, error: null };
    this.dispatchEvent(new CustomEvent('change', { detail: { source: name } }));
  }
  stop() {
    this.stopped = true;
  }
  stopScreen() {}
}
