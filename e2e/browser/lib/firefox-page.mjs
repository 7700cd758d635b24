// A page in Firefox: what a person does and sees there, as commands of WebDriver BiDi.

import { writeFileSync } from 'node:fs';

import { Page } from './page.mjs';

const INTO_VIEW = "found.scrollIntoView({ block: 'center', behavior: 'instant' })";

/** The keys that a test presses by name, as WebDriver writes them. */
const KEYS = {
  Tab: '\uE004', Enter: '\uE007', Escape: '\uE00C', Space: ' ', Shift: '\uE008', Control: '\uE009', Backspace: '\uE003', Delete: '\uE017',
  PageUp: '\uE00E', PageDown: '\uE00F', End: '\uE010', Home: '\uE011', ArrowLeft: '\uE012', ArrowUp: '\uE013', ArrowRight: '\uE014', ArrowDown: '\uE015',
};
const BUTTONS = { left: 0, right: 2 };

/** What the driver says of an element that is in the page no more, before anything was pressed. */
const REPLACED = /no such node|stale element|Origin element .* is not displayed/;

/** What Firefox reports as an error of the page and is none: a WebSocket that ended with its page or its server. */
const OF_THE_NETWORK = /^(Firefox can’t establish a connection to the server at|The connection to) wss?:\/\//;

export class FirefoxPage extends Page {
  engine = 'firefox';
  #bidi;
  #context;
  #userContext;

  constructor(label, media, language, bidi, context, userContext) {
    super(label, media, language);
    this.#bidi = bidi;
    this.#context = context;
    this.#userContext = userContext;
  }

  note(entry) {
    this.console.push(`${entry.level}: ${entry.text}`);
    if (entry.type === 'javascript' && entry.level === 'error' && !OF_THE_NETWORK.test(entry.text)) this.errors.push(entry.text);
  }

  async goto(url) {
    await this.#bidi.send('browsingContext.navigate', { context: this.#context, url, wait: 'interactive' });
  }

  async reload() {
    await this.#bidi.send('browsingContext.reload', { context: this.#context, wait: 'interactive' });
  }

  // Answers travel as JSON text: what a page can say is then the same in both browsers.
  async evaluateSource(source) {
    const answer = await this.#bidi.send('script.evaluate', {
      expression: `(async () => JSON.stringify({ value: await (${source}) }))()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (answer.type === 'exception') throw new Error(`${this.label}: ${answer.exceptionDetails.text}`);
    return JSON.parse(answer.result.value).value;
  }

  async press(selector, button = 'left') {
    await this.until(`${selector} to be pressed`, async () => {
      const found = await this.#find(selector);
      return found !== null && this.pressFound(found, button);
    });
  }

  /** What can be pressed and has this role and this name; null when there is nothing. */
  async findNamed(role, name, within) {
    const start = await this.#find(within);
    if (start === null) return null;
    const locator = { type: 'accessibility', value: { role, name } };
    const { nodes } = await this.#bidi.send('browsingContext.locateNodes', { context: this.#context, locator, startNodes: [start], maxNodeCount: 1 });
    const [found] = nodes;
    if (found === undefined) return null;
    const pressable = await this.#call('(found) => found.isConnected && !found.disabled && found.getBoundingClientRect().width > 0', [{ sharedId: found.sharedId }]);
    return pressable.value ? { sharedId: found.sharedId } : null;
  }

  /** Whether it was pressed: what the page drew anew since it was found cannot be any more, and the pointer stayed where it was. */
  async pressFound(element, button = 'left') {
    try {
      await this.#call(`(found) => ${INTO_VIEW}`, [element]);
      await this.#pressInView(element, button);
      return true;
    } catch (error) {
      if (REPLACED.test(String(error))) return false;
      throw error;
    }
  }

  async #pressInView(element, button) {
    const number = BUTTONS[button];
    await this.#act({
      type: 'pointer',
      id: 'mouse',
      actions: [
        { type: 'pointerMove', x: 0, y: 0, origin: { type: 'element', element } },
        { type: 'pointerDown', button: number },
        { type: 'pointerUp', button: number },
      ],
    });
  }

  /** Turns the wheel over an element. */
  async wheel(selector, distance) {
    const origin = { type: 'element', element: await this.#find(selector) };
    await this.#act({ type: 'wheel', id: 'wheel', actions: [{ type: 'scroll', x: 0, y: 0, deltaX: 0, deltaY: distance, origin }] });
  }

  /** Chooses files in the dialog that pressing opens. */
  async chooseFiles(press, paths) {
    const opened = this.#bidi.next('input.fileDialogOpened', ({ context }) => context === this.#context);
    await press();
    const { element } = await opened;
    await this.#bidi.send('input.setFiles', { context: this.#context, element, files: paths });
  }

  /** Where the file that pressing saves ends up, once it is whole. */
  async download(press) {
    const ended = this.#bidi.next('browsingContext.downloadEnd', ({ context }) => context === this.#context);
    await press();
    const { status, filepath } = await ended;
    if (status !== 'complete') throw new Error(`${this.label}: the download ended as ${status}`);
    return filepath;
  }

  /** The first element of this selector; null when there is none. */
  async #find(selector) {
    const result = await this.#call('(wanted) => document.querySelector(wanted)', [{ type: 'string', value: selector }]);
    return result.type === 'node' ? { sharedId: result.sharedId } : null;
  }

  async #call(functionDeclaration, args) {
    const answer = await this.#bidi.send('script.callFunction', { functionDeclaration, arguments: args, target: { context: this.#context }, awaitPromise: false });
    if (answer.type === 'exception') throw new Error(`${this.label}: ${answer.exceptionDetails.text}`);
    return answer.result;
  }

  async key(names) {
    const values = names.split('+').map((name) => KEYS[name] ?? name);
    await this.#keys([...values.map((value) => ({ type: 'keyDown', value })), ...values.toReversed().map((value) => ({ type: 'keyUp', value }))]);
  }

  async type(text) {
    await this.#keys([...text].flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]));
  }

  async #keys(actions) {
    await this.#act({ type: 'key', id: 'keyboard', actions });
  }

  async #act(source) {
    await this.#bidi.send('input.performActions', { context: this.#context, actions: [source] });
  }

  async resize(width, height) {
    await this.#bidi.send('browsingContext.setViewport', { context: this.#context, viewport: { width, height } });
  }

  async screenshot(path) {
    const { data } = await this.#bidi.send('browsingContext.captureScreenshot', { context: this.#context });
    writeFileSync(path, Buffer.from(data, 'base64'));
  }

  async close() {
    await this.#bidi.send('browser.removeUserContext', { userContext: this.#userContext });
  }
}
