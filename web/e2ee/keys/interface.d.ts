/**
 * What goes in and out of the worker of the key agreement. A request and its answer are those of `web/crypto/src/desk/wire.rs`, as JSON:
 * bytes in base64, users and rooms as UUIDs, times in milliseconds since 1970.
 */

/** Bytes in base64 (RFC 4648 §4). */
import type { NoticeNames } from '../push/interface.js';

export type Base64 = string;
export type Uuid = string;
/** As the server writes it: 16 hexadecimal digits. */
export type ParticipantId = string;

export type GroupName = { kind: 'room' | 'call'; id: Uuid };

/** This device's stay in a call: the participant that the server calls it, and the room whose members belong in the call. */
export type Stay = { room: Uuid; participant: ParticipantId };

export type Request =
  /** The first device of a user, with a new identity. */
  | { op: 'first'; user: Uuid; now_ms: number }
  /** A further device, for which another is to vouch by a record. It asks until then, also after a reload; again, and another one asks. */
  | { op: 'ask'; user: Uuid }
  /** For a user who has neither a device nor a way back left. The first of the answer's records replaces the identity. `records`: all that the user published. */
  | { op: 'begin_anew'; user: Uuid; records: Base64[]; now_ms: number }
  /** Forgets a device whose records cannot be published any more; `other_device`: it was published once. `records`: all that its user published. */
  | { op: 'step_back'; records: Base64[] }
  | { op: 'certified'; record: Base64 }
  /** Who is here: `device`, with the records of one's own chain that it made or was given and that may have to be published yet; or `asking`. */
  | { op: 'who' }
  /** `previous`: the hash of the newest record of one's own chain; null: of the newest that was learned. */
  | { op: 'vouch'; request: Base64; previous: Base64 | null; now_ms: number }
  | { op: 'revoke'; device: Base64; previous: Base64 | null; now_ms: number }
  /**
   * All that a user published, from the first on; at most 1,024 records (`full`). `proof`: that they are in the log of keys, needed once a head of
   * it was taken. Errors: `not_logged`, `old_proof` (its size is none that is known: to be asked for again).
   */
  | { op: 'learn'; user: Uuid; records: Base64[]; proof?: { size: number; leaves: number[]; path: Base64[] } | null }
  /** The person says that this is the user's identity. */
  | { op: 'accept'; user: Uuid; identity: Base64 }
  /** The person compared this identity with the user, whom they know by this name (128 bytes): accepted, and verified. */
  | { op: 'verify'; user: Uuid; identity: Base64; name: string }
  /** Devices of one's own that came without this one's doing, of which the person does not know: at the first time none. Of what was learned. */
  | { op: 'new_devices' }
  /** The person knows of these. */
  | { op: 'saw_devices'; devices: Base64[] }
  /** Of more than fit the oldest one-time ones go. */
  | { op: 'key_packages'; count: number; last_resort: boolean }
  /** Key packages that nobody may use any more. */
  | { op: 'forget_expired'; now_ms: number }
  /** Of a room of which this device has, or had, a group: `known_group`. `strict`: of a strict room, once for all. Of a call: `newcomers` as of `seal_message`. */
  | { op: 'create'; group: GroupName; stay: Stay | null; strict?: boolean }
  /**
   * `group`, `epoch`: what it must lead to, by `commit`; another is `bad_welcome`. `strict`: the room is known to be. Errors: `known_group` (the group is kept: its log is to be processed), `past_epoch` (this device was in a later epoch
   * already), `not_strict` (the room is strict, and this group does not say so).
   */
  | { op: 'join'; welcome: Base64; group?: GroupName; epoch?: number; commit?: Base64 | null; strict?: boolean }
  /** The same. Into a call: its room's group must be one of this device; `uninvited`: somebody in the call is not in it; `newcomers` as of `seal_message`. */
  | { op: 'join_external'; group: GroupName; group_info: Base64; tree: Base64 | null; stay: Stay | null; at_least_epoch: number; strict?: boolean }
  /** `add`: key packages as the server handed them out for `users`; `other_user`: one is somebody else's. */
  | { op: 'change'; group: GroupName; add: Base64[]; users: Uuid[]; remove: number[] }
  /** The server took what was sent. */
  | { op: 'accepted'; group: GroupName }
  /** Another was faster. */
  | { op: 'lost'; group: GroupName }
  /**
   * `log_epoch`: which epoch the group had when the page asked the server for its log, for what is read after having been away; commits on
   * earlier epochs are followed even where their device was revoked since. Without it: `revoked_device`, a commit of one that does not count.
   */
  | { op: 'process'; group: GroupName; commit: Base64; log_epoch?: number | null }
  /** After `bad_commit`, before the group is forgotten: whose device made the commit, where that is certain. */
  | { op: 'culprit'; group: GroupName }
  /** After `not_vouched` for a commit, or for this welcome: who has a device in it that is not known here. */
  | { op: 'strangers'; group: GroupName; welcome?: Base64 }
  /** Whether this commit led into the epoch in which the group is here; `other_group`: another did. */
  | { op: 'began_with'; group: GroupName; commit: Base64 }
  /** The person goes on from an epoch of a room's group that is before the one here (else `past_epoch`): what is kept of it is thrown away. */
  | { op: 'go_back'; room: Uuid; epoch: number }
  | { op: 'forget'; group: GroupName }
  | { op: 'look'; group: GroupName }
  /** Runs all that joining a call of this room runs, so that joining does not wait for its compilation. Nothing comes of it. */
  | { op: 'rehearse'; room: Uuid }
  /** `stale_members`: somebody who no longer counts must be taken out first. */
  | { op: 'say'; group: GroupName; plaintext: Base64 }
  | { op: 'hear'; group: GroupName; message: Base64 }
  /**
   * In the newest epoch of the room's group, so that commits come first. `id` is new for each message; the same only to seal one again in a
   * later epoch. `seen`: the `hash` of the newest message of the room that the page knows; `head`: null for the newest head of the log of keys
   * that this device verified. `split_view`: what the server shows of the log was contradicted, and the person has not decided to go on.
   * `newcomers`: somebody came into the strict room of whom the person was not told.
   */
  | { op: 'seal_message'; room: Uuid; id: Uuid; kind: number; content: Base64; seen: Base64 | null; head: TreeHead | null; now_ms: number }
  /** The server took it. One is sent after the other: what is sealed in between follows the same message. */
  | { op: 'sent'; room: Uuid; id: Uuid }
  /** It will never be sent. */
  | { op: 'unsent'; room: Uuid; id: Uuid }
  /** What was sealed and neither sent nor given up, as after a crash: the same bytes are to be sent. */
  | { op: 'waiting'; room: Uuid }
  /**
   * The next message of the room's log, in the log's order. `past_epoch`: sealed more than 32 epochs before one that stands before it in the log;
   * whoever wrote it has to seal it again before it waits so long.
   */
  | { op: 'open_message'; room: Uuid; envelope: Base64 }
  /** One that could not be opened when it was the next: refused with `unknown_sender` then, or of an epoch ahead of the group. */
  | { op: 'open_waited'; room: Uuid; envelope: Base64 }
  /** A message further back: opened, and not judged by its place in the log. */
  | { op: 'read_message'; room: Uuid; envelope: Base64 }
  /** What is known of the log of everybody's keys. */
  | { op: 'log' }
  /**
   * A head that the server signed. `from`: the size of the newest one here, 0 for none; `path`: the proof between both, empty where the server
   * gave none. What contradicts the one here is an alarm in the answer. Errors: `bad_head`, `old_proof` (`from` is another by now).
   */
  | { op: 'take_head'; head: Base64; from: number; path: Base64[] }
  /** What a message says its sender's device was shown. `way`: the proof to a head here, once the server was asked; empty where it gave none. */
  | { op: 'hear_head'; user: Uuid; device: Base64; head: TreeHead; way: { to: number; path: Base64[] } | null }
  /** The person goes on: with what another's device says standing against the server, or with whatever log the server shows next. */
  | { op: 'accept_log' }
  /** Compared is what the user published last, accepted or not: the answer names the identity that is then to be accepted. */
  | { op: 'safety_number'; user: Uuid }
  /** What this camera read from the user's screen. Errors: `other_keys` (somebody stands between), `other_people`, `malformed`. */
  | { op: 'check_qr'; user: Uuid; bytes: Base64 }
  | { op: 'call_emoji'; group: GroupName }
  /** Errors: `malformed` (more than 512 bytes of UTF-8). */
  | { op: 'qr'; text: string }
  /** Who came into the room's group since `greeted`; at the first time nobody, and everybody in a strict room. */
  | { op: 'newcomers'; room: Uuid }
  /** This device is about to come into a room that is not strict, for the first time: whom the person is shown there. Whoever else is in its group is a newcomer. */
  | { op: 'meets'; room: Uuid; users: Uuid[] }
  /** The person knows that these users are in the room's group. */
  | { op: 'greeted'; room: Uuid; users: Uuid[] }
  /** What stands in this device's link to a room, where no server sees it. The same each time. Errors: `wrong_kind` (the room is strict), `not_open`, `not_member`. */
  | { op: 'link'; room: Uuid; code: string }
  /** What this device's user shows to be let in where a link with this secret leads. Errors: `malformed`. */
  | { op: 'show_link'; secret: Base64 }
  /** Others who were in the room's group at any time since this device is. */
  | { op: 'ever'; room: Uuid }
  /** Which of these users were given a link by somebody inside, and were not inside before, while the room had this code. 1,024 at most; in a strict room nobody. */
  | { op: 'invited'; room: Uuid; code: string; shows: { user: Uuid; invitation: Base64 }[] }
  /** Makes the master key; once, on the device that made the identity. */
  | { op: 'backup_begin' }
  | { op: 'add_recovery_code' }
  /** In NFKC. */
  | { op: 'add_passphrase'; passphrase: string }
  /** Gives the salt for the `prf` extension, whose 32 bytes are then the output. */
  | { op: 'begin_passkey'; credential: Base64 }
  | { op: 'add_passkey'; output: Base64 }
  | { op: 'remove_unlocker'; unlocker: Base64 }
  /** What the server is to keep, after every change. */
  | { op: 'unlockers' }
  /** What the server has from another device of the user: taken in, and answered with what it is to keep now. */
  | { op: 'take_unlockers'; blob: Base64 }
  /** By what a blob can be opened. */
  | { op: 'ways'; blob: Base64 }
  /** A new device that vouches for itself by an unlocker; the record in the answer is to be published. `records`: all that the user did. */
  | { op: 'restore'; user: Uuid; blob: Base64; secret: UnlockSecret; records: Base64[]; now_ms: number }
  /** The master key and the identity, for a device that another vouched for. */
  | { op: 'unlock'; blob: Base64; secret: UnlockSecret }
  /** What a device that is vouched for needs to vouch for others, for the request that the person confirms. Errors: `no_identity`, `no_master_key`. */
  | { op: 'hand_over'; request: Base64 }
  /**
   * What was handed over to this device, once its user's records were learned. Errors: `not_vouched` (who sealed it does not count), `other_device`,
   * `already_there` (this device has the keys).
   */
  | { op: 'take_handover'; handover: Base64 }
  /** The epoch keys of a block that this device has, as the next version of the segment; null where the newest that was seen has them all. Errors: `no_master_key`. */
  | { op: 'seal_segment'; of: Block; now_ms: number }
  /** What was sealed, once the server took it, or what the server has. Errors: `rolled_back`, `forked`, `tampered`, `wrong_key`, `conflict`. */
  | { op: 'take_segment'; of: Block; sealed: Base64 };

export type TreeHead = { size: number; root: Base64 };
/**
 * `not_consistent`, `other_log`: the server contradicts what it showed this device before. `split_view`: this device of this user says that it was
 * shown another log; either it or the server lies.
 */
export type LogAlarm = {
  why: 'not_consistent' | 'other_log' | 'split_view';
  user: Uuid | null;
  device: Base64 | null;
  said: TreeHead;
  here: TreeHead;
  accepted: boolean;
};
/** `head`: of size 0 before the first is taken. */
export type LogLook = { type: 'log'; head: TreeHead; alarms: LogAlarm[] };
/** `ahead`: a newer head of the server is to be taken first; `unknown`: the server is to be asked for the proof; `later`: while the server contradicts itself. */
export type HeadHeard = { type: 'head_heard'; heard: 'known' | 'ahead' | 'unknown' | 'later' | 'split' };
/** 1,024 epochs of a room, from `block` times as many on. */
export type Block = { room: Uuid; block: number };
export type UnlockSecret = { kind: 'recovery_code' | 'passphrase'; secret: string } | { kind: 'passkey'; secret: Base64 };
/** Of a passkey: which, and what its `prf` extension is to be evaluated at. */
export type UnlockerLook = { id: Base64; kind: 'recovery_code' | 'passphrase' | 'passkey'; credential: Base64 | null; salt: Base64 | null };

/** Requests that the worker makes by itself; the page never says or sees them. */
export type OwnRequest =
  | { op: 'load'; device_id: Base64; device: Base64; directory: Base64; identity: Base64 | null }
  /** In place of `load` where no device is kept: the one that asks, or nobody. */
  | { op: 'resume'; asking: Base64 | null }
  /** What an outcome said it needs, the group of a room too; null: nothing is kept under this name. */
  | { op: 'open_state'; name: string; sealed: Base64 | null }
  /** Of an epoch that is over too, for as long as it is one of the last few; null: of the newest. Errors: `stale_members`, `unknown_epoch`, `newcomers` (as of `seal_message`, where this device was out of the room's group). */
  | { op: 'media_keys'; group: GroupName; epoch: number | null }
  /** Of the newest epoch of the room's group, with the devices that count in it. Errors: `not_open` (this device is in none), `not_member`. */
  | { op: 'notice_keys'; room: Uuid };

export type Look = {
  type: 'group';
  group: GroupName;
  epoch: number;
  leaf: number;
  standing: 'creating' | 'joining' | 'member' | 'removed';
  /** Of the group of a strict room: by its context, not by the server's word. */
  strict: boolean;
  /** `participant`: of a call, whom the leaf says to be. */
  members: { leaf: number; user: Uuid; device: Base64; identity: Base64; participant: ParticipantId | null }[];
  /** Leaves that no longer count and are to be removed. */
  stale: number[];
  /** What the server has not answered yet. */
  outgoing: { epoch: number; commit: Base64 | null; welcome: Base64 | null; group_info: Base64 } | null;
  /** Equal for all who are in the same epoch. */
  authenticator: Base64 | null;
};

export type Change = { type: 'ours' } | { type: 'others'; added: Uuid[]; removed: number[]; joined: Uuid | null } | { type: 'out' };

export type MediaKeys = {
  type: 'media';
  epoch: number;
  leaf: number;
  members: { leaf: number; user: Uuid; participant: ParticipantId; session: Base64; base: Base64 }[];
};

export type NoticeKeys = {
  type: 'notice';
  epoch: number;
  key: Base64;
  members: { leaf: number; user: Uuid; device: Base64; device_key: Base64 }[];
};

export type OpenedMessage = {
  type: 'opened';
  id: Uuid;
  epoch: number;
  /** Whose device signed it. */
  user: Uuid;
  device: Base64;
  kind: number;
  /** By the sender's clock. */
  at_ms: number;
  seen: Base64;
  head: TreeHead;
  /** What later messages call this one by. */
  hash: Base64;
  /**
   * Of `open_message` and `open_waited`: `gap` (show that something is missing before it), `late` (it was missing), `fork` (show that the order is not sure),
   * `repeated` (was there), `id_reused` and `stale` (drop it). Null of `read_message`.
   */
  verdict: 'first' | 'next' | 'gap' | 'late' | 'fork' | 'repeated' | 'id_reused' | 'stale' | null;
  /** Hostile input: what the sender wrote. Null where it must not be shown. */
  content: Base64 | null;
};

export type Answer =
  | { type: 'done' }
  | { type: 'device'; device: Base64; identity: Base64; records: Base64[] }
  | { type: 'asking'; device: Base64; request: Base64; code: string }
  | { type: 'record'; record: Base64 }
  /** `name`: under which the person compared keys with the user; null where they never did. */
  | { type: 'user'; identity: Base64; changed: boolean; verified: 'no' | 'yes' | 'lost'; name: string | null }
  | { type: 'key_packages'; packages: Base64[]; last_resort: Base64 | null }
  | Look
  | { type: 'processed'; change: Change; group: Omit<Look, 'type'> }
  | { type: 'culprit'; user: Uuid | null }
  | { type: 'strangers'; users: Uuid[] }
  | { type: 'message'; message: Base64 }
  | { type: 'heard'; epoch: number; leaf: number; user: Uuid; plaintext: Base64 }
  | MediaKeys
  | NoticeKeys
  | { type: 'sealed'; epoch: number; envelope: Base64 }
  | { type: 'waiting'; messages: { id: Uuid; epoch: number; envelope: Base64 }[] }
  | OpenedMessage
  | LogLook
  | HeadHeard
  /** 60 digits; `words`: 20 indices below 64, for the same in words; `qr`: for the user's camera. */
  | { type: 'safety_number'; digits: string; words: number[]; qr: Base64; identity: Base64 }
  | { type: 'checked'; identity: Base64 }
  /** Six indices below 64. */
  | { type: 'emoji'; emoji: number[] }
  /** Rows from the top: `1` dark, `0` light. */
  | { type: 'qr'; rows: string[] }
  | { type: 'newcomers'; users: Uuid[] }
  | { type: 'link'; secret: Base64 }
  | { type: 'shown'; invitation: Base64 }
  | { type: 'ever'; users: Uuid[] }
  | { type: 'invited'; users: Uuid[] }
  | { type: 'new_devices'; devices: Base64[] }
  /** `code`: the new recovery code, to be shown once. */
  | { type: 'unlocker'; id: Base64; code: string | null }
  | { type: 'salt'; salt: Base64 }
  /** `backed_up`: whether there are unlockers enough to rely on. */
  | { type: 'backup'; blob: Base64; backed_up: boolean; unlockers: UnlockerLook[] }
  | { type: 'ways'; unlockers: UnlockerLook[] }
  | { type: 'handover'; handover: Base64 }
  | { type: 'segment'; sealed: Base64 | null }
  /** How many keys came new. */
  | { type: 'taken'; fresh: number };

/** A sealed state by its name; null: to be deleted. */
export type Kept = { name: string; sealed: Base64 | null };
/** `needs`: with the error `not_open`, the name of the state to be opened before the request is made again. */
export type Outcome = { answer?: Answer; error?: string; keep: Kept[]; needs?: string | null };

/* ---- The worker's messages ------------------------------------------------------------------------------------------------------ */

/** To the worker, first of all: whose keys. */
export type BeginMessage = { type: 'begin'; id: number; user: Uuid };
export type AskMessage = { type: 'ask'; id: number; request: Request };
/**
 * With the port that leads to the media worker: the keys of an epoch of this call go over it, of the newest where `epoch` is null. `because`: what began the epoch;
 * `removed`: leaves of earlier epochs whose keys end at once.
 */
export type MediaMessage = { type: 'media'; id: number; call: Uuid; because: 'start' | 'join' | 'removal'; removed: number[]; epoch: number | null };
export type PortMessage = { type: 'port'; call: Uuid };
/** A file for an encrypted room; `said`: what the receiver is told of it. Answered with what the server gets (`file`) and what the message says (`sealed`). */
export type SealFileMessage = { type: 'seal_file'; id: number; file: Blob; said: { name: string; type: string } };
/** Answered with the very file that was sealed. Errors: `tampered`, `other_file`, `incomplete`, `bad_padding`, `wrong_length`, `malformed`. */
export type OpenFileMessage = { type: 'open_file'; id: number; file: Blob; sealed: Base64 };
/** Keeps what opens messages of this room where no page is open (`e2ee/push`); or nothing any more, where this device is not in its group. */
export type NoticesMessage = { type: 'notices'; id: number; room: Uuid; language: string; names: NoticeNames };
export type PageMessage = BeginMessage | AskMessage | MediaMessage | SealFileMessage | OpenFileMessage | NoticesMessage | PortMessage;

/**
 * `error`: a stable code, of `web/crypto/src/fault.rs`, or `storage`, `wasm`, `unknown_user`, `unknown_call`, `used_elsewhere` (another media
 * worker has the keys of this stay: the call is to be joined anew), `full`, `failed`, `crashed` (the desk broke down over it). `isOver`: the worker answers
 * nothing any more, and another is to take its place.
 */
export type WorkerMessage = { id: number; answer?: Answer; device?: Base64 | null; file?: Blob; sealed?: Base64; error?: string; isOver?: boolean };

/* ---- What the worker keeps -------------------------------------------------------------------------------------------------------- */

export type Snapshot = { version: number; states: Map<string, Base64> };
/** Where sealed states are kept. Everything that one request changes is written together or not at all. */
export interface StateStorage {
  /** The key under which states are sealed: made at the first call, the same ever after. 32 bytes, to be overwritten after use. */
  stateKey(): Promise<Uint8Array<ArrayBuffer>>;
  version(): Promise<number>;
  read(name: string): Promise<Base64 | null>;
  /** Writes, and gives the new version. */
  write(kept: Kept[]): Promise<number>;
  /** Nobody else reads or writes while this runs. */
  alone<T>(act: () => Promise<T>): Promise<T>;
}
/** The desk as the door uses it. */
export interface DeskLike {
  handle(request: string): string;
}
