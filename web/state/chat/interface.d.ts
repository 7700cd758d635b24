// What the views see of the chat. `app.chat` is a Chat; classes in this folder implement these interfaces.
// Everything given out is read-only and replaced by a new object when it changes, so `===` tells whether to draw again.
// Times are Unix milliseconds. Strings written by other people are as they were sent: show them as text, isolated (`dir="auto"`).

import type { Role } from "../../protocol.js";
import type { Mark, Notice } from "./records.js";

/** A failed act rejects with an error that has a `code` (ApiError), for `errorText`. */
export type Emoji = string;

export type FileInfo = {
  id: string, name: string, type: string, size: number,
  width?: number, height?: number,
  /** A data URL of a JPEG or WebP image, 8 kB at most. */
  thumbnail?: string,
  /** In encrypted rooms: how the file is opened, in base64. */
  sealed?: string,
};

/** A file that is not at the server yet; `remote` when a part of it is. */
export type PendingFile = { blob: Blob, remote: string | null, info: Omit<FileInfo, "id"> };

/** `waiting`: in the outbox. `sent`: the server has it. `failed`: refused with `code`; `retry` or `discard` it. */
export type SendState = "waiting" | "sent" | "failed";

/** One text that a message had; the last one is what it says now. */
export type Version = { text: string, at: number };

export type Reaction = { emoji: Emoji, users: readonly string[], own: boolean };

export type Message = {
  /** Made by who sent it; the same while waiting and after. Unique: the key of a row. */
  id: string,
  /** Its number in the room; null while waiting or failed. */
  seq: number | null,
  sender: string,
  /** Whether this user wrote it. */
  own: boolean,
  /** When it was sent; when it was written while waiting. */
  sentAt: number,
  state: SendState,
  /** Why it was refused. */
  code: string | null,
  /** Which file was refused. */
  failedFile: string | null,
  /** While it waits: how much of its files is sent, 0 to 1; null when none is left to send. */
  progress: number | null,
  /** `text`: show `text`. `unknown`: a message that this version cannot show. `deleted`: a tombstone, with nothing in it. */
  kind: "text" | "unknown" | "deleted",
  /** Of an `unknown` one in an encrypted room: why it is not shown. It is nobody's then, and `id` is none that the server knows. */
  notice: Notice | null,
  /** What is to be said of its place in an encrypted room. */
  mark: Mark | null,
  text: string,
  /** The earlier texts, oldest first; empty when never edited. */
  edited: readonly Version[],
  /** An edit of this user is on its way (`waiting`) or was refused (`failed`). */
  editState: SendState,
  /** The id of the message that this one answers. */
  replyTo: string | null,
  mentions: readonly string[],
  mentionsMe: boolean,
  /** In the order of first use. */
  reactions: readonly Reaction[],
  files: readonly FileInfo[],
  pinned: boolean,
};

export type Presence = "online" | "in_call" | "away" | "offline";

export type Person = { user: string, username: string };

export type Draft = { text: string, replyTo: string | null };

/** `open`: now. `slow`: not before `untilMs`. The others: not at all. `everyS`: seconds between two messages that slow mode asks for; 0: none. */
export type Writing = { state: "open" | "slow" | "room_locked" | "chat_muted" | "no_member", untilMs: number | null, everyS: number };

export type ConversationRow = {
  id: string,
  kind: "room" | "direct",
  /** The room's name, or the names of the others of a direct conversation. */
  title: string,
  /** Others in a direct conversation. */
  others: readonly Person[],
  topic: string,
  inCall: number,
  /** Messages of others after the read marker; with `unreadAtLeast` there are more than could be counted. */
  unread: number,
  unreadAtLeast: boolean,
  mentions: number,
  /** The newest message that is shown, waiting ones included. */
  last: { senderName: string | null, own: boolean, kind: Message["kind"], notice: Message["notice"], text: string, files: number, at: number } | null,
  /** An unsent text. */
  draft: string,
  failed: number,
  /** For sorting; the list comes sorted by it, newest first. */
  lastAt: number,
};

/** Events: `change` {reason: "messages" | "reset" | "people" | "typing" | "presence" | "row"}. */
export interface ConversationView extends EventTarget {
  readonly id: string;
  readonly row: ConversationRow;
  /** What this user is in the room now. */
  readonly role: Role;
  /** Whether what is written here is end-to-end encrypted. `send` refuses files that are not `sealed` then, with `files_not_encrypted`. */
  readonly encrypted: boolean;
  /** Whether this user may write now; `row` and `messages` may change it, and time ends `slow`. */
  readonly writing: Writing;
  /** Whether the newest messages are there (from the local copy at least). */
  readonly loaded: boolean;

  // Messages by index: 0 is the oldest that is loaded, waiting and failed ones stand at the end.
  // After `messages` indexes may have moved (older ones loaded before): keep the place by `id` and `indexOf`.
  // `reset`: the window was replaced (too much was missed to fill the gap at once): show the end afresh.
  readonly length: number;
  at(index: number): Message | undefined;
  slice(from: number, to: number): Message[];
  /** -1 when not loaded. */
  indexOf(id: string): number;
  find(id: string): Message | undefined;
  readonly hasMoreBefore: boolean;
  /** Load older ones: from the local copy, else from the server. Says `messages`. Calls while one runs share it. */
  loadBefore(): Promise<void>;
  /** Load back as far as this message. False when it cannot be found (or is farther back than may be loaded at once). */
  jumpTo(id: string): Promise<boolean>;
  /** Let go of what was loaded beyond the newest few hundred; call when the list is at its end and the page is left. */
  trim(): void;

  /** Everybody who can be mentioned; empty until loaded (`people`). */
  readonly members: readonly Person[];
  /** null: unknown (a former member). */
  nameOf(user: string): string | null;
  readonly typingUsers: readonly string[];
  /** Who has read the last message, which one wrote oneself; only in encrypted direct conversations. */
  readonly seenBy: readonly string[];
  presenceOf(user: string): Presence;

  /** Persisted, then sent when possible. `files` were uploaded before, `uploads` are kept and sent with it. Throws `invalid_body` when it is empty or too long. Resolves to the message's id once it is kept. */
  send(message: { text: string, replyTo?: string | null, files?: readonly FileInfo[], uploads?: readonly PendingFile[] }): Promise<string>;
  edit(id: string, text: string): Promise<void>;
  react(id: string, emoji: Emoji, on: boolean): Promise<void>;
  /** Delete for everybody; needs the server. */
  remove(id: string): Promise<void>;
  pin(id: string): Promise<void>;
  unpin(id: string): Promise<void>;
  /** Pinned messages from the server, newest pin first. */
  pins(): Promise<{ message: Message, pinnedBy: string, pinnedAt: number }[]>;
  retry(id: string): Promise<void>;
  /** What is not sent is not to be: a waiting or refused message, a refused edit. */
  discard(id: string): Promise<void>;

  /** Everything that is loaded was seen. */
  markRead(): void;
  /** The first message of somebody else that is unread, as of when the conversation was opened; null when none. */
  readonly firstUnreadId: string | null;
  readonly draft: Draft;
  setDraft(draft: Draft): void;
  /** It is being written: `setDraft` with the same can then keep it at once. */
  readyDraft(draft: Draft): void;
  /** Call at every keystroke: tells the others at most every 3 s. */
  typing(): void;
}

export type SearchResult = { room: string, roomTitle: string, id: string, seq: number, sender: string, senderName: string | null, at: number, text: string };

/** Events: `change` (the list or a row), `status`. `total` of a search may exceed what is listed. */
export interface ChatView extends EventTarget {
  /** Newest first; null until the first load. */
  readonly conversations: readonly ConversationRow[] | null;
  /** null: no such conversation (or not loaded yet: wait for `change`). */
  conversation(room: string): ConversationView | null;
  /** Messages of others unread in all conversations, and mentions among them: for the title of the page. */
  readonly unread: { messages: number, mentions: number };
  /** How many entries of encrypted rooms were not shown as messages since the page is open, by why. */
  readonly refused: ReadonlyMap<string, number>;
  /** `offline`: what is written waits. */
  readonly status: "offline" | "syncing" | "online";
  /** The one conversation on screen (its presence comes; its members are loaded); null: none. */
  watch(room: string | null): void;
  /** The person looks elsewhere (the page is hidden). */
  setAway(away: boolean): void;
  /** The page may end: what was put off (read markers) is told now. */
  flush(): void;
  /** Words and beginnings of words, all of which must occur. Newest first, 50 at most. */
  search(text: string, where?: { room?: string }): Promise<{ results: SearchResult[], total: number }>;
}
