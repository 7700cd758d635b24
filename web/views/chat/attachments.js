/**
 * Files on their way with the next message: each with its progress, to be cancelled or tried again. The upload itself is behind `app.files`.
 * A message need not wait for it: what is not at the server yet is handed over with it, and goes on from where it is. In an encrypted room a file is
 * sealed first, and what is sealed is what goes up.
 */

/** @import { Files } from '../page.js' */
/** @import { FileInfo, PendingFile } from '../../state/chat/interface.js' */

import { errorText, fileSize, t } from '../../i18n/index.js';
import { MAX_KEPT_BYTES } from '../../state/chat/uploads.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';

/** With one message: more make a list nobody reads. */
const MOST_FILES = 10;
/** A body holds 32,000 bytes, a thumbnail up to 8 kB: two leave room for the text. */
const MOST_THUMBNAILS = 2;
/** A sealed one holds half of that. */
const MOST_SEALED_THUMBNAILS = 1;
const LONGEST_NAME = 255;

/** @typedef {{ file: Blob, info: Omit<FileInfo, 'id'>, remote: string | null, ending: AbortController, error: unknown, done: FileInfo | null, bar: HTMLProgressElement, element: HTMLElement }} Attachment */
/** @typedef {{ files: FileInfo[], uploads: PendingFile[] }} Taken what goes with a message: what the server has, and what it is still to get */

export class Attachments {
  #files;
  #room;
  #encrypted;
  #changed;
  /** @type {Attachment[]} */
  #all = [];
  element = el('ul', { class: 'attachments', 'aria-label': t('chat.attachments'), hidden: true });

  /**
   * @param {Files} files
   * @param {{ id: string, encrypted: boolean }} room
   * @param {() => void} changed
   * @param {AbortSignal} signal the page is left: what is not sent is not needed
   */
  constructor(files, room, changed, signal) {
    this.#files = files;
    this.#room = room.id;
    this.#encrypted = room.encrypted;
    this.#changed = changed;
    signal.addEventListener('abort', () => this.#all.forEach((one) => this.#end(one)));
  }

  get count() {
    return this.#all.length;
  }

  /** Whether they can go with a message now: none was refused, and what is not at the server yet is little enough to be kept here. */
  get ready() {
    const missing = this.#all.filter(({ done }) => done === null);
    return missing.every((one) => !one.error && !this.#isBare(one)) && missing.reduce((sum, { file }) => sum + file.size, 0) <= MAX_KEPT_BYTES;
  }

  /** Not sealed yet, in a room where it must be. @param {Attachment} one */
  #isBare({ info }) {
    return this.#encrypted && info.sealed === undefined;
  }

  /** Take them out, to be sent. @returns {Taken} */
  take() {
    for (const { done, ending } of this.#all) if (done === null) ending.abort(this.#files.putOff());
    let pictures = 0;
    /** @type {Taken} */
    const taken = { files: [], uploads: [] };
    for (const { file: blob, info, remote, done } of this.#all) {
      if (info.thumbnail !== undefined) pictures += 1;
      const { thumbnail, ...plain } = info;
      const shown = pictures > (this.#encrypted ? MOST_SEALED_THUMBNAILS : MOST_THUMBNAILS) ? plain : info;
      if (done === null) taken.uploads.push({ blob, remote, info: shown });
      else taken.files.push({ ...shown, id: done.id });
    }
    this.#all = [];
    this.#draw();
    return taken;
  }

  /** The message was refused: they wait for the next try. @param {Taken} taken */
  giveBack({ files, uploads }) {
    for (const { id, ...info } of files) this.#all.push({ ...this.#made(new Blob(), info), done: { ...info, id } });
    for (const { blob, remote, info } of uploads) {
      const one = { ...this.#made(blob, info), remote };
      this.#all.push(one);
      void this.#upload(one);
    }
    this.#draw();
  }

  /** @param {Iterable<File>} chosen */
  add(chosen) {
    for (const file of chosen) {
      if (this.#all.length >= MOST_FILES) {
        toast(t('chat.too_many_files', { count: MOST_FILES }), 'problem');
        break;
      }
      const one = this.#made(file, { name: file.name.slice(0, LONGEST_NAME), type: file.type, size: file.size });
      this.#all.push(one);
      void this.#picture(one);
      void this.#upload(one);
    }
    this.#draw();
  }

  /** @param {Blob} file @param {Omit<FileInfo, 'id'>} info @returns {Attachment} */
  #made(file, info) {
    const bar = el('progress', { max: '1', value: '0', 'aria-label': `${t('chat.uploading')}: ${info.name}` });
    return { file, info, remote: null, ending: new AbortController(), error: null, done: null, bar, element: el('li', { class: 'attachment' }) };
  }

  /** @param {Attachment} one */
  async #picture(one) {
    const picture = await this.#files.thumbnail(one.file).catch(() => null);
    if (!picture) return;
    one.info = { ...one.info, ...picture };
    this.#drawOne(one);
  }

  /** @param {Attachment} one */
  async #upload(one) {
    const { info } = one;
    one.error = null;
    one.ending = new AbortController();
    const { signal } = one.ending;
    const progress = (/** @type {number} */ part) => {
      one.bar.value = part;
    };
    const announced = (/** @type {string} */ id) => {
      one.remote = id;
    };
    try {
      if (this.#isBare(one)) await this.#seal(one, signal);
      const { id } = await this.#files.upload(one.file, { room: this.#room, signal, progress, announced, resume: one.remote });
      one.done = { ...one.info, id };
      announce(t('chat.uploaded', { name: info.name }));
    } catch (error) {
      if (signal.aborted) return;
      // What was taken back is begun anew by the next try.
      if (!this.#files.isKept(error)) one.remote = null;
      one.error = error;
    }
    this.#draw();
  }

  /** @param {Attachment} one @param {AbortSignal} signal */
  async #seal(one, signal) {
    const { file, sealed } = await this.#files.seal(one.file);
    signal.throwIfAborted();
    one.file = file;
    one.info = { ...one.info, sealed };
    this.#changed();
  }

  /** It is not sent: what runs ends, and what the server keeps for another try is not needed. @param {Attachment} one */
  #end({ ending, error, remote }) {
    ending.abort();
    if (error && remote !== null) this.#files.discard(remote);
  }

  /** @param {Attachment} one */
  #remove(one) {
    const focused = one.element.contains(document.activeElement);
    const place = this.#all.indexOf(one);
    this.#end(one);
    this.#all = this.#all.filter((other) => other !== one);
    this.#draw();
    // The focus does not vanish with the file: to the next one, else to where one writes.
    const next = this.#all[Math.min(place, this.#all.length - 1)]?.element.querySelector('button:last-of-type') ?? this.element.closest('form')?.querySelector('textarea');
    if (focused) /** @type {HTMLElement | null | undefined} */ (next)?.focus();
  }

  #draw() {
    this.element.hidden = this.#all.length === 0;
    for (const one of this.#all) this.#drawOne(one);
    this.element.replaceChildren(...this.#all.map(({ element }) => element));
    this.#changed();
  }

  /** @param {Attachment} one */
  #drawOne(one) {
    const { info, done, error } = one;
    const about = info.name;
    fill(
      one.element,
      info.thumbnail ? el('img', { src: info.thumbnail, alt: '' }) : icon('file'),
      el('span', { class: 'file-text' }, el('bdi', { class: 'clipped' }, info.name), error ? el('span', { class: 'hint failed' }, errorText(error)) : done ? el('span', { class: 'hint' }, fileSize(info.size)) : one.bar),
      error ? iconButton({ icon: 'retry', label: t('common.retry'), about, action: 'retry-upload', class: 'small', click: () => void this.#upload(one).then(() => this.#draw()) }) : null,
      iconButton({ icon: 'close', label: done ? t('chat.remove_file') : t('chat.cancel_upload'), about, action: 'cancel-upload', class: 'small', click: () => this.#remove(one) }),
    );
  }
}
