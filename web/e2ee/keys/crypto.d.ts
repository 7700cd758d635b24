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
