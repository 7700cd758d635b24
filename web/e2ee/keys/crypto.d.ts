/** What `web/assets` builds from `web/crypto` (src/js.rs): the glue of wasm-bindgen. */

/** Fetches and starts the WebAssembly; once, before anything else. */
export default function init(from: { module_or_path: URL | Promise<Response> }): Promise<unknown>;

export class Desk {
  private constructor();
  /** `key`: 32 bytes; undefined when it has another length. */
  static open(key: Uint8Array): Desk | undefined;
  /** A `Request` and its `Outcome`, as JSON. */
  handle(request: string): string;
  free(): void;
}

/** Seals a file chunk by chunk, from its beginning to its end. What fails throws an `Error` whose message is a stable code. */
export class FileSealer {
  private constructor();
  /** For a file of so many bytes. Throws `too_long`. */
  static begin(size: bigint): FileSealer;
  chunks(): number;
  /** How long the whole will be on the server. */
  sealedBytes(): bigint;
  /** Where in the file a chunk begins and ends; chunks of padding alone are empty. */
  start(chunk: number): bigint;
  end(chunk: number): bigint;
  /** The next chunk; gives what is to be uploaded behind what was before. */
  seal(content: Uint8Array): Uint8Array<ArrayBuffer>;
  /** After the last chunk, and the end of this: the attachment for the sealed message, with the key in it. Throws `incomplete`. */
  finish(name: string, mediaType: string): Uint8Array<ArrayBuffer>;
  free(): void;
}

/** Opens the chunks of a file in any order. */
export class FileOpener {
  private constructor();
  static of(attachment: Uint8Array): FileOpener;
  /** What the sender says: hostile input. */
  name(): string;
  mediaType(): string;
  size(): bigint;
  chunks(): number;
  /** Undefined behind the end. */
  chunkOf(byte: bigint): number | undefined;
  /** Where a chunk begins and ends in what the server has. */
  sealedStart(chunk: number): bigint;
  sealedEnd(chunk: number): bigint;
  /** Throws `tampered`, `wrong_length`, `bad_padding`, `no_such_chunk`. */
  open(chunk: number, sealed: Uint8Array): Uint8Array<ArrayBuffer>;
  whole(): WholeFile;
  free(): void;
}

/** Opens a file from its beginning to its end, and sees that it is the one that was sent. */
export class WholeFile {
  private constructor();
  open(sealed: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The end of this. Only after it did not throw may what was opened be taken for the file. Throws `incomplete`, `other_file`. */
  finish(): void;
  free(): void;
}
