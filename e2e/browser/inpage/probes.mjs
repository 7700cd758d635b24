// The eyes and ears of the tests, installed into a page beside the synthetic devices.
//
// They read what a person would see or hear: the pixels of a tile's video element and the spectrum of an audio element's sound,
// found by the page's own names (`data-tile`, `data-username`, `data-participant`). The function is sent to the browser as text:
// it must name nothing outside itself.

/** Installs `webcallTest.look`, `hear`, `watch`, `lookOut`, `tiles`, `armFirstFrame`, `focus`, `faults` and `flows`. */
export function installProbes() {
  const test = (window.webcallTest ??= {});
  const WIDTH = 64;
  const HEIGHT = 36;
  const COUNTER_BITS = 8;
  const FFT_SIZE = 4096;

  const remote = (element) => element.dataset.own === undefined || element.dataset.own === 'false';

  // Every tile that shows somebody else, newest last.
  test.tiles = () =>
    [...document.querySelectorAll('[data-tile]')].map((tile) => ({
      participant: tile.dataset.participant ?? '',
      username: tile.dataset.username ?? '',
      kind: tile.dataset.kind ?? '',
      own: !remote(tile),
    }));

  function tileOf(who) {
    return [...document.querySelectorAll('[data-tile]')].find(
      (tile) =>
        (who.own === true) === !remote(tile) &&
        (who.username === undefined || tile.dataset.username === who.username) &&
        (who.participant === undefined || tile.dataset.participant === who.participant) &&
        (tile.dataset.kind ?? 'person') === (who.kind ?? 'person'),
    );
  }

  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const brush = canvas.getContext('2d', { willReadFrequently: true, alpha: false });

  // Whether an element is on the screen with nothing in front of it, at least in one of five places.
  const PLACES = [[0.5, 0.5], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false;
    return PLACES.some(([x, y]) => document.elementFromPoint(box.left + x * box.width, box.top + y * box.height) === element);
  };

  // The colour in the middle and the counter along the lower edge of a tile's picture; null while there is none to be seen.
  test.look = (who) => {
    const video = tileOf(who)?.querySelector('video');
    if (!video || video.readyState < 2 || video.videoWidth === 0 || !shown(video)) return null;
    brush.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const { data } = brush.getImageData(0, 0, WIDTH, HEIGHT);
    const pixel = (x, y) => [...data.subarray((y * WIDTH + x) * 4, (y * WIDTH + x) * 4 + 3)];
    let counter = 0;
    for (let bit = 0; bit < COUNTER_BITS; bit += 1) {
      const [red, green, blue] = pixel(Math.floor(((bit + 0.5) * WIDTH) / COUNTER_BITS), Math.floor(HEIGHT * 0.88));
      if (red + green + blue > 3 * 128) counter |= 1 << bit;
    }
    return { colour: pixel(WIDTH / 2, Math.floor(HEIGHT * 0.35)), counter, width: video.videoWidth, height: video.videoHeight };
  };

  // Samples one tile's counter for a while: when it changed, in milliseconds since the start.
  test.watch = (who, length_ms) =>
    new Promise((resolve) => {
      const start_ms = performance.now();
      const changes_ms = [];
      let last = null;
      const timer = setInterval(() => {
        const now_ms = performance.now() - start_ms;
        const seen = test.look(who);
        if (seen !== null && seen.counter !== last) {
          last = seen.counter;
          changes_ms.push(now_ms);
        }
        if (now_ms < length_ms) return;
        clearInterval(timer);
        resolve(changes_ms);
      }, 20);
    });

  const ears = new WeakMap();
  let audio = null;
  function earOf(element) {
    const [track] = element.srcObject?.getAudioTracks() ?? [];
    if (track === undefined) return null;
    const known = ears.get(element);
    if (known?.track === track) return known;
    audio ??= new AudioContext({ sampleRate: 48_000 });
    void audio.resume();
    const analyser = audio.createAnalyser();
    analyser.fftSize = FFT_SIZE;
    analyser.smoothingTimeConstant = 0;
    const source = audio.createMediaStreamSource(new MediaStream([track]));
    source.connect(analyser);
    const ear = { track, source, analyser, spectrum: new Float32Array(analyser.frequencyBinCount) };
    ears.set(element, ear);
    return ear;
  }

  // The strongest tone that a participant's audio elements play: { hz, level_db }; null while none plays.
  test.hear = (who) => {
    const participant = who.participant ?? tileOf(who)?.dataset.participant;
    const kind = who.kind ?? 'person';
    let loudest = null;
    for (const element of document.querySelectorAll('audio[data-participant]')) {
      if (element.dataset.participant !== participant || (element.dataset.kind ?? kind) !== kind) continue;
      if (element.muted || element.paused || element.volume === 0) continue;
      const ear = earOf(element);
      if (ear === null) continue;
      ear.analyser.getFloatFrequencyData(ear.spectrum);
      let peak = 1;
      for (let bin = 2; bin < ear.spectrum.length; bin += 1) if (ear.spectrum[bin] > ear.spectrum[peak]) peak = bin;
      const level_db = Math.max(ear.spectrum[peak], -200);
      if (loudest === null || level_db > loudest.level_db) loudest = { hz: (peak * 48_000) / FFT_SIZE, level_db };
    }
    return loudest;
  };

  // Looks and listens from now on, wherever in the page, for these people: each with `label`, `colour`, `tone_hz`. Gives how often what of whom was
  // noted, by words that say under whose name it was; it rises for as long as the page lives, or until somebody else is looked for.
  test.lookOut = (people, { colour_tolerance, tone_tolerance_hz, audible_db }) => {
    const noted = (test.noted = {});
    const note = (what, { kind, username }) => {
      const words = `${what} as ${username || 'nobody'}${kind === 'screen' ? ', screen' : ''}`;
      noted[words] = (noted[words] ?? 0) + 1;
    };
    const look = () => {
      const tiles = test.tiles().filter(({ own }) => !own);
      for (const tile of tiles) {
        const colour = test.look(tile)?.colour;
        for (const { label, ...person } of colour ? people : []) if (person.colour.every((part, at) => Math.abs(part - colour[at]) <= colour_tolerance)) note(`picture of ${label}`, tile);
      }
      for (const { dataset: { participant, kind } } of document.querySelectorAll('audio[data-participant]')) {
        const heard = test.hear({ participant, kind });
        const username = tiles.find((tile) => tile.participant === participant)?.username;
        for (const { label, tone_hz } of heard?.level_db > audible_db ? people : []) if (Math.abs(heard.hz - tone_hz) <= tone_tolerance_hz) note(`voice of ${label}`, { kind, username });
      }
    };
    clearInterval(test.outlook);
    test.outlook = setInterval(look, 50);
  };

  // Arms a stop-watch: it starts at the next click on `action` and stops when a first remote picture can be read.
  test.armFirstFrame = (action) => {
    test.first_frame_ms = null;
    const started = (event) => {
      if (!event.target.closest?.(`[data-action="${action}"]`)) return;
      document.removeEventListener('click', started, true);
      const start_ms = performance.now();
      const poll = () => {
        const seen = test.tiles().some((tile) => !tile.own && test.look(tile) !== null);
        if (seen) test.first_frame_ms = performance.now() - start_ms;
        else requestAnimationFrame(poll);
      };
      poll();
    };
    document.addEventListener('click', started, true);
  };

  const CONTROLS = 'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])';
  const textOf = (element) => element?.textContent.trim() ?? '';
  const written = (element) => `${element.localName} ${element.dataset.action ?? element.name ?? ''} "${textOf(element).slice(0, 40)}"`;
  const nameOf = (element) =>
    textOf(document.getElementById(element.getAttribute('aria-labelledby') ?? '')) ||
    element.getAttribute('aria-label') ||
    [...(element.labels ?? [])].map(textOf).join(' ') ||
    textOf(element) ||
    element.title;

  // Where the focus is: whether that is what is wanted, can be seen, and is marked.
  test.focus = (wanted) => {
    const element = document.activeElement;
    const [box] = element.getClientRects();
    const top = box && document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return {
      here: element.matches(wanted),
      what: written(element),
      seen: element === document.body || (top !== null && element.contains(top)),
      marked: element === document.body || getComputedStyle(element).outlineStyle !== 'none',
    };
  };

  // What a page may not be: wider than its window, or with a control that has no name.
  test.faults = () => {
    const { scrollWidth } = document.documentElement;
    const visible = [...document.querySelectorAll(CONTROLS)].filter((each) => each.checkVisibility() && !each.closest('[aria-hidden="true"]'));
    const nameless = visible.filter((each) => !nameOf(each)?.trim()).map((each) => `no name: ${written(each)}`);
    return scrollWidth > innerWidth ? [`${scrollWidth} wide in a window of ${innerWidth}`, ...nameless] : nameless;
  };

  // What the newest connection sends and receives, in a line each: for the message of a failed wait.
  test.flows = async () => {
    const rows = [...(await test.connections.at(-1)?.getStats())?.values() ?? []];
    const codec = (row) => rows.find((each) => each.id === row.codecId)?.mimeType ?? '?';
    const told = [];
    for (const row of rows) {
      if (row.type === 'outbound-rtp') {
        told.push(`${row.mid} sends ${codec(row)} ${row.rid ?? ''} packets ${row.packetsSent} frames ${row.framesEncoded ?? '-'} pli ${row.pliCount ?? '-'} nack ${row.nackCount ?? '-'} size ${row.frameWidth ?? '-'}`);
      }
      if (row.type === 'inbound-rtp' && row.packetsReceived > 0) {
        told.push(`${row.mid} receives ${codec(row)} packets ${row.packetsReceived} lost ${row.packetsLost} frames ${row.framesReceived ?? '-'} decoded ${row.framesDecoded ?? '-'} keys ${row.keyFramesDecoded ?? '-'} pli ${row.pliCount ?? '-'} nack ${row.nackCount ?? '-'} size ${row.frameWidth ?? '-'}`);
      }
      if (row.type === 'candidate-pair' && row.nominated) told.push(`pair ${row.state}, may send ${row.availableOutgoingBitrate ?? '?'} bit/s`);
    }
    for (const { mid, receiver } of test.connections.at(-1)?.getTransceivers() ?? []) {
      const sources = receiver.getContributingSources().map(({ source }) => source);
      if (sources.length > 0) told.push(`${mid} contributing sources ${sources}`);
    }
    return told;
  };
}
