// A call to test with: one server, the browsers in use, and people, each with an account, a colour and a tone of their own.
//
// People come with their accounts, signed in; how one gets there by the pages is a test of its own (`accounts.spec.mjs`).

import { keepBrowsers, ownBrowser, releaseBrowsers, sharedBrowser } from './browsers.mjs';
import { noComplaints } from './eyes.mjs';
import { ADDRESS, freeUdpPorts, startServer, WORKERS } from './server.mjs';
import { UdpProxy } from './udp-proxy.mjs';

export const PASSWORD = 'correct horse battery staple';
const PALETTE = ['#d02020', '#2020d0', '#20a020', '#c0c020', '#c020c0', '#20c0c0', '#e08020', '#808080', '#6020a0', '#a06040'];
const NAMES = ['anna', 'boris', 'clara', 'dmitri', 'elena', 'fjodor', 'greta', 'hakon', 'irina', 'jakob'];
const FPS = 15;

/** The synthetic devices of the nth person. */
export function mediaOf(index) {
  return {
    colour: PALETTE[index % PALETTE.length],
    other_colour: PALETTE[(index + 5) % PALETTE.length],
    tone_hz: 400 + 90 * index,
    screen_colour: '#f0a0a0',
    screen_tone_hz: 2000 + 90 * index,
    fps: FPS,
    width: 320,
    height: 180,
  };
}

/** Starts a server and nothing else yet. */
export function party(options) {
  return keepingBrowsers(async () => new Party(await startServer(options)));
}

/** Starts a server whose media goes through a UDP proxy. */
export function partyBehindProxy({ seed = 1, ...options } = {}) {
  return keepingBrowsers(async () => {
    const address = ADDRESS ?? '127.0.0.1';
    const first = await freeUdpPorts(WORKERS);
    // Without TURN and TCP: a browser whose way through the proxy is bad would take one past it.
    const media = { ...options.media, advertised: [address], advertised_port: first };
    const server = await startServer({ ...options, media, tcp: { enabled: false }, turn: { enabled: false } });
    const row = (start) => Array.from({ length: WORKERS }, (_, index) => start + index);
    const table = new Party(server);
    table.proxy = await UdpProxy.start({ address, ports: row(first), targets: row(server.media_port), seed });
    return table;
  });
}

/** Keeps the browsers for a party until it ends, or cannot start. */
async function keepingBrowsers(starting) {
  keepBrowsers();
  try {
    return await starting();
  } catch (error) {
    releaseBrowsers();
    throw error;
  }
}

class Party {
  people = [];
  /** The UDP proxy, if the media goes through one. */
  proxy = null;
  /** Browsers that are this party's alone, by name. */
  #browsers = new Map();
  /** Every page that was opened. */
  #pages = [];
  #ends = [];

  constructor(server) {
    this.server = server;
  }

  /** The running browser of this name, started on first use. */
  browser(engine) {
    if (this.server.ca && !this.#browsers.has(engine)) this.useBrowser(engine, ownBrowser(engine, { ca: this.server.ca }));
    return this.#browsers.get(engine) ?? sharedBrowser(engine);
  }

  /** Takes a browser that was started otherwise, under a name of its own. */
  useBrowser(engine, launching) {
    this.#browsers.set(engine, launching);
  }

  /** A page that nobody is signed in to. `site`: the address by which it comes to the server; else the server's own. */
  async stranger(engine, options = {}) {
    const index = this.people.length;
    const label = NAMES[index] ?? `guest${index}`;
    const page = await (await this.browser(engine)).page(label, { ...mediaOf(index), ...options.media }, options);
    page.username = label;
    page.site = options.site ?? this.server.url;
    this.people.push(page);
    this.#pages.push(page);
    return page;
  }

  /** A page of a new person, signed in, on the rooms page. */
  async person(engine, options = {}) {
    const page = await this.stranger(engine, options);
    page.token = await this.#register(page);
    await this.open(page, '/');
    await page.see('[data-page="rooms"]');
    return page;
  }

  /** An account for a page, whose browser is then signed in to it: by the API, from the smallest thing that there is under the server's address. */
  async #register(page) {
    await this.open(page, '/healthz');
    const answer = await page.evaluate(register, page.username, PASSWORD, this.server.secret);
    if (!answer.access_token) throw new Error(`${page.label}: ${JSON.stringify(answer)}`);
    return answer.access_token;
  }

  /** One more window of a person: a second participant of the same user. */
  async secondWindow(person, engine = person.engine) {
    const page = await this.stranger(engine);
    page.username = person.username;
    page.token = person.token;
    await this.signIn(page, person.username);
    return page;
  }

  /** Leads a page to a path of the server, by the address by which it comes there. */
  open(page, path) {
    return page.goto(`${page.site}${path}`);
  }

  /** Signs a page in, as a person does; its refresh cookie carries it from then on. */
  async signIn(page, username) {
    await this.open(page, '/login');
    await page.fill('username', username);
    await page.fill('password', PASSWORD);
    await page.click('login');
    await page.see('[data-page="rooms"]');
  }

  /** A room of the first of these people, with the others as members. */
  async room(people, { name = 'Stammtisch', encryption = 'open', strict = false } = {}) {
    const [owner, ...others] = people;
    const room = await this.server.request('POST', 'rooms', { token: owner.token, body: { name, encryption, strict } });
    for (const other of new Set(others.map((page) => page.token))) {
      if (other !== owner.token) await this.server.request('POST', 'rooms/join', { token: other, body: { code: room.link_code } });
    }
    if (encryption === 'mls' && !strict) await this.expect(people, room, await Promise.all(people.map((page) => this.userOf(page))));
    return room;
  }

  /** The id of a page's user. */
  async userOf({ token }) {
    return (await this.server.request('GET', 'me', { token })).id;
  }

  /** These people know that others belong into a room that is not strict, as into a conversation that they made: nobody waits. How a link does that is a test of its own (`door.spec.mjs`). */
  async expect(pages, room, users) {
    await Promise.all(pages.map((page) => page.evaluate(name, room.id, users)));
  }

  /** The link to an encrypted room, as a page that is inside shows it. */
  async link(page, room) {
    await this.open(page, `/rooms/${room.id}?chat`);
    await page.click('room-details');
    const link = await page.waitFor('the whole link', () => [...document.querySelectorAll('dialog input.copyable')].map(({ value }) => value).find((value) => value.includes('#encrypted.')));
    await this.open(page, `/rooms/${room.id}?chat`);
    return link;
  }

  /** Comes to a room by a link. */
  async come(page, link) {
    await page.goto(link);
    await page.click('join-room');
    await page.see('[data-page="prejoin"]');
  }

  /** Leads a page to a room's pre-join page. */
  async prejoin(page, room, { codec } = {}) {
    await this.open(page, `/rooms/${room.id}`);
    await page.see('[data-page="prejoin"]');
    if (codec !== undefined) await page.choose('codec', codec);
  }

  /** Joins these people, one after the other, and waits until each is connected. */
  async join(people, room, options = {}) {
    for (const page of people) {
      await this.prejoin(page, room, options);
      await page.click('join-call');
      await inCall(page);
    }
  }

  /** Does this, too, when everything ends. */
  atEnd(act) {
    this.#ends.push(act);
  }

  /** Says where everybody is: what one page waits for in vain, another may be the cause of. */
  async describe() {
    for (const page of this.people) console.log(`${page.label}: ${await page.glance()}`);
  }

  /** Ends everything, and fails when a page or the server has something to complain of. */
  async end() {
    try {
      await noComplaints([...this.people], await this.server.close());
    } finally {
      this.proxy?.close();
      for (const act of this.#ends) act();
      await this.#leave();
    }
  }

  async #leave() {
    try {
      // A page that the test closed is gone.
      await Promise.all(this.#pages.map((page) => page.close().catch(() => {})));
      await Promise.all([...this.#browsers.values()].map(async (browser) => (await browser).close()));
    } finally {
      releaseBrowsers();
    }
  }
}

/** The participant that a page is in its call. */
export function ownParticipant(page) {
  return page.waitFor('a tile of its own', () => window.webcallTest.tiles().find((tile) => tile.own)?.participant);
}

/** Runs in the page: what the server answers, after the time for which it asks where there are too many. */
async function register(username, password, registration_secret) {
  const body = JSON.stringify({ username, password, registration_secret });
  for (;;) {
    const response = await fetch('/api/v1/auth/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (response.status !== 429) return response.json();
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get('retry-after') ?? 1)));
  }
}

/** Runs in the page: where the client keeps whom the person named. */
function name(room, users) {
  const key = 'webcall.strict-named';
  const named = JSON.parse(localStorage.getItem(key) ?? '[]');
  localStorage.setItem(key, JSON.stringify([...new Set([...named, ...users.map((user) => `${room} ${user}`)])]));
}

/** Runs a spec's body around a party and ends the party whatever happens; the body's own failure is the one that is told. */
export async function during(starting, body) {
  const table = await starting;
  let trouble = null;
  try {
    await body(table);
  } catch (error) {
    trouble = error;
    await table.describe();
  }
  await table.end().catch((error) => (trouble ??= error));
  if (trouble !== null) throw trouble;
}

/** Waits until a page is in the call and its media is up. */
export function inCall(page, bound_ms) {
  return page.see('[data-page="call"][data-connection="connected"], [data-page="call"] [data-connection="connected"]', bound_ms);
}
