// What the client's own media workers say of the frames that they sealed and opened, as the page itself asks them. Installed before the page's
// scripts: each media worker that the page starts is known from then on. The function is sent to the browser as text: it must name nothing
// outside itself.

/** Installs `webcallTest.shield` and `webcallTest.listen`. */
export function installShields() {
  const test = (window.webcallTest ??= {});
  const MEDIA_WORKER = '/e2ee/media/worker.js';
  /** Far above the numbers of the page's own reports, which throw an answer away that nobody waits for. */
  const FIRST_ID = 1_000_000_000;
  const POLL_MS = 50;
  /** One that fell over does not answer. */
  const PATIENCE_MS = 30_000;
  /** A voice is fifty frames a second, or eight (`frame_ms`): without one for so long it is not heard. */
  const GAP_MS = 400;
  let newest = null;
  let reports = FIRST_ID;
  const waiting = new Map();

  const Native = window.Worker;
  window.Worker = class Worker extends Native {
    constructor(url, options) {
      super(url, options);
      if (!String(url).endsWith(MEDIA_WORKER)) return;
      newest = this;
      this.addEventListener('message', ({ data }) => {
        if (data.type !== 'report') return;
        waiting.get(data.id)?.resolve(data.report);
        waiting.delete(data.id);
      });
    }

    terminate() {
      super.terminate();
      if (newest === this) newest = null;
      for (const [id, { worker, resolve }] of waiting) {
        if (worker !== this) continue;
        waiting.delete(id);
        resolve(null);
      }
    }
  };

  // The report of the stay that the page is in (`web/e2ee/media/interface.d.ts`); null when there is none.
  test.shield = () => {
    if (newest === null) return null;
    reports += 1;
    const id = reports;
    return new Promise((resolve) => {
      waiting.set(id, { worker: newest, resolve });
      setTimeout(() => waiting.delete(id) && resolve(null), PATIENCE_MS);
      newest.postMessage({ type: 'report', id });
    });
  };

  // Listens from now on: `epochs`, when each was first known here; `voices`, since when each participant is heard without a gap, and until when.
  // All in milliseconds of the system's clock, so that pages can be compared.
  test.listen = () => {
    const heard = { epochs: {}, voices: {} };
    const counts = new Map();
    const look = async () => {
      const report = await test.shield();
      const now_ms = Date.now();
      if (report !== null && report.epoch !== null) heard.epochs[report.epoch] ??= now_ms;
      for (const { track, side, owner, context, counters } of report?.tracks ?? []) {
        if (side !== 'receive' || context !== 'microphone') continue;
        const before = counts.get(track);
        counts.set(track, { owner, opened: counters.opened });
        if (before?.owner !== owner || counters.opened === before.opened) continue;
        const voice = (heard.voices[owner] ??= { since_ms: now_ms, until_ms: now_ms });
        if (now_ms - voice.until_ms > GAP_MS) voice.since_ms = now_ms;
        voice.until_ms = now_ms;
      }
      setTimeout(look, POLL_MS);
    };
    void look();
    test.heard = heard;
  };
}
