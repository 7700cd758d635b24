/** Files on their way with the next message: each with its progress, to be cancelled or tried again. The upload itself is behind `app.files`. */

/** @import { Files } from '../page.js' */
/** @import { FileInfo } from '../../state/chat/interface.js' */

import { errorText, fileSize, t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';

/** With one message: more make a list nobody reads. */
const MOST_FILES = 10;
/** A body holds 32,000 bytes, a thumbnail up to 8 kB: two leave room for the text. */
const MOST_THUMBNAILS = 2;
const LONGEST_NAME = 255;

/** @typedef {{ file: File, ending: AbortController, progress: number, error: unknown, done: FileInfo | null, bar: HTMLProgressElement, element: HTMLElement }} Attachment */

export class Attachments {
  #files;
  #room;
  #changed;
  /** @type {Attachment[]} */
  #all = [];
  element = el('ul', { class: 'attachments', 'aria-label': t('chat.attachments'), hidden: true });

  /**
   * @param {Files} files
   * @param {string} room
   * @param {() => void} changed
   * @param {AbortSignal} signal the page is left: what is not sent is not needed
   */
  constructor(files, room, changed, signal) {
    this.#files = files;
    this.#room = room;
    this.#changed = changed;
    signal.addEventListener('abort', () => this.#all.forEach(({ ending }) => ending.abort()));
  }

  get count() {
    return this.#all.length;
  }

  /** Whether all that were chosen are at the server. */
  get ready() {
    return this.#all.every(({ done }) => done !== null);
  }

  /** Take the finished ones out, to be sent. @returns {FileInfo[]} */
  take() {
    let pictures = 0;
    const done = this.#all.flatMap((one) => {
      const { thumbnail, ...plain } = one.done ?? { id: '' };
      if (one.done === null) return [];
      pictures += Number(thumbnail !== undefined);
      return [pictures > MOST_THUMBNAILS ? /** @type {FileInfo} */ (plain) : one.done];
    });
    this.#all = [];
    this.#draw();
    return done;
  }

  /** The message was refused: they wait for the next try. @param {readonly FileInfo[]} done */
  giveBack(done) {
    for (const info of done) this.#all.push({ ...this.#made(new File([], info.name, { type: info.type })), done: info, progress: 1 });
    this.#draw();
  }

  /** @param {Iterable<File>} chosen */
  add(chosen) {
    for (const file of chosen) {
      if (this.#all.length >= MOST_FILES) {
        toast(t('chat.too_many_files', { count: MOST_FILES }), 'problem');
        break;
      }
      const one = this.#made(file);
      this.#all.push(one);
      void this.#upload(one);
    }
    this.#draw();
  }

  /** @param {File} file @returns {Attachment} */
  #made(file) {
    const bar = el('progress', { max: '1', value: '0', 'aria-label': `${t('chat.uploading')}: ${file.name}` });
    return { file, ending: new AbortController(), progress: 0, error: null, done: null, bar, element: el('li', { class: 'attachment' }) };
  }

  /** @param {Attachment} one */
  async #upload(one) {
    const { file } = one;
    one.error = null;
    one.ending = new AbortController();
    const { signal } = one.ending;
    const progress = (/** @type {number} */ part) => {
      one.progress = part;
      one.bar.value = part;
    };
    try {
      const [{ id }, picture] = await Promise.all([this.#files.upload(file, { room: this.#room, signal, progress }), this.#files.thumbnail(file)]);
      one.done = { id, name: file.name.slice(0, LONGEST_NAME), type: file.type, size: file.size, ...picture };
      announce(t('chat.uploaded', { name: file.name }));
    } catch (error) {
      if (signal.aborted) return;
      one.error = error;
    }
    this.#draw();
  }

  /** @param {Attachment} one */
  #remove(one) {
    one.ending.abort();
    this.#all = this.#all.filter((other) => other !== one);
    this.#draw();
  }

  #draw() {
    this.element.hidden = this.#all.length === 0;
    for (const one of this.#all) this.#drawOne(one);
    this.element.replaceChildren(...this.#all.map(({ element }) => element));
    this.#changed();
  }

  /** @param {Attachment} one */
  #drawOne(one) {
    const { file, done, error } = one;
    const about = file.name;
    fill(
      one.element,
      done?.thumbnail ? el('img', { src: done.thumbnail, alt: '' }) : icon('file'),
      el('span', { class: 'file-text' }, el('bdi', { class: 'clipped' }, file.name), error ? el('span', { class: 'hint failed' }, errorText(error)) : done ? el('span', { class: 'hint' }, fileSize(done.size)) : one.bar),
      error ? iconButton({ icon: 'retry', label: t('common.retry'), about, action: 'retry-upload', class: 'small', click: () => void this.#upload(one).then(() => this.#draw()) }) : null,
      iconButton({ icon: 'close', label: done ? t('chat.remove_file') : t('chat.cancel_upload'), about, action: 'cancel-upload', class: 'small', click: () => this.#remove(one) }),
    );
  }
}
