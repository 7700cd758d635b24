/**
 * What goes in and out of the media worker, and the few types of workers that the page's own library lacks.
 *
 * Two ways lead in. The *page* tells what the server says: which track is whose seat. The *keys* come over a MessagePort of their own,
 * straight from the worker of the key agreement: the page carries the port there and never sees what goes over it.
 */

import type { Source, FeedKind } from '../../protocol.js';

/** Bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Which of a participant's sources a frame is of; the order is that of the numbers in a KID. */
export type Context = Source;

/* ---- MediaKeys: the port of the keys ------------------------------------------------------------------------------------------ */

/**
 * One member of the call's group, as the key agreement knows it.
 * `owner`: the participant that this leaf says to be in its signed hello; never what the server says.
 * `session`: names the nonce of that hello, so that a leaf which joins anew within an epoch gets a fresh key and replay window.
 * `base`: the base key of RFC 9605 for this leaf, epoch and session, as a non-extractable HKDF key with the usages deriveKey, deriveBits.
 */
export type Member = { leaf: number; owner: string; session: string; base: CryptoKey };

/** Under what this client seals. Its base key must be new for each worker: two workers under one base would use a nonce twice. */
export type OwnKeys = { leaf: number; base: CryptoKey };

/** Why an epoch began: decides how soon this client seals under it. */
export type Because = 'start' | 'join' | 'removal';

/**
 * To the worker. Epochs rise; the first names the call (16 bytes), and all others must name the same.
 * `members`: those whose hello has come; others follow one by one. `removed`: leaves of earlier epochs whose keys end at once.
 */
export type EpochMessage = { type: 'epoch'; call: Bytes; epoch: number; because: Because; own: OwnKeys; members: Member[]; removed: number[] };
export type MemberMessage = { type: 'member'; epoch: number; member: Member };
export type KeyMessage = EpochMessage | MemberMessage;

/** From the worker: a frame came under a key that it has not; `epoch` is the lowest byte of the epoch's number. */
export type MissingMessage = { type: 'missing'; leaf: number; epoch: number };

/* ---- The page ------------------------------------------------------------------------------------------------------------------ */

/** What is given to `RTCRtpScriptTransform`. `track` is a name that the page makes up, once for each transform. */
export type TransformOptions = { side: 'send'; track: string; source: Source } | { side: 'receive'; track: string; kind: 'audio' | 'video' };

/** Who sits on a receiving track, as the server says; null: nobody. */
export type SeatMessage = { type: 'seat'; track: string; feed: { owner: string; kind: FeedKind } | null };
/** Comes with the port of the keys. */
export type KeysMessage = { type: 'keys' };
export type ReportMessage = { type: 'report'; id: number };
export type PageMessage = SeatMessage | KeysMessage | ReportMessage;

/** To the page: from here on the frames of this track are of this participant, proven by their key. */
export type SourceMessage = { type: 'source'; track: string; owner: string; context: Context };
export type ReportAnswer = { type: 'report'; id: number; report: Report };
/** To the page: the next picture of this sending track is to be a whole one. */
export type KeyframeMessage = { type: 'keyframe'; track: string };
export type WorkerMessage = SourceMessage | KeyframeMessage | ReportAnswer;

export type Counter =
  | 'sealed' | 'opened'
  | 'auth_failed' | 'replayed' | 'malformed' | 'clear_refused' | 'no_key' | 'foreign' | 'unknown_codec' | 'no_sending_key' | 'failed';
export type Counters = Record<Counter, number>;

/** `track`: as the page named it; `owner`, `context`: of the last frame opened, null before; `busy_ms`: in the transform, all frames together. */
export type TrackReport = { track: string; side: 'send' | 'receive'; owner: string | null; context: Context | null; counters: Counters; keyframes_asked: number; busy_ms: number };
/** `past`: the counters of tracks that have ended. `refused_messages`: of the page or the port, not understood. */
export type Report = { epoch: number | null; tracks: TrackReport[]; past: Counters; refused_messages: number };

/* ---- Codecs -------------------------------------------------------------------------------------------------------------------- */

/** `clear`: what stays readable, in the form that is authenticated; `wrap` puts header and ciphertext behind it as the codec wants. */
export type Packed = { clear: Bytes; wrap: (header: Bytes, ciphertext: Bytes) => Bytes };
/** What could not be a sealed frame: a plain one, or none at all. */
export type Refusal = 'clear_refused' | 'malformed';
export type Codec = {
  /** For sealing; null when the encoder's frame is not understood. */
  pack: (frame: Bytes) => Packed | null;
  unpack: (data: Bytes) => { clear: Bytes; sealed: Bytes } | Refusal;
};

/* ---- Encoded frames (WebRTC Encoded Transform), as far as they are used -------------------------------------------------------- */

export interface EncodedFrame {
  data: ArrayBuffer;
  readonly type?: string;
  getMetadata(): { mimeType?: string };
}
export interface Transformer {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
  readonly options: unknown;
  sendKeyFrameRequest(): Promise<unknown>;
  /** Not in every browser. */
  generateKeyFrame?(): Promise<unknown>;
}
export interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  onrtctransform: ((event: { transformer: Transformer }) => void) | null;
  postMessage(message: WorkerMessage): void;
}
