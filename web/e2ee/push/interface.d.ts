// What is kept for notices of new messages: put there by the worker of the keys, used by the service worker, seen by no page.

/** A device of the room's newest epoch. */
export type NoticeDevice = { leaf: number, user: string, device: Uint8Array<ArrayBuffer>, deviceKey: Uint8Array<ArrayBuffer> };

/** What opens the messages of one epoch of a room. `key`: HKDF, not extractable. */
export type Opening = { room: string, epoch: number, key: CryptoKey, members: readonly NoticeDevice[] };

/** How people call it, in the person's own browser: `people` by user. `title` is null of a conversation of two. */
export type NoticeNames = { title: string | null, people: Record<string, string> };

/** Whose notices, and in which language they are. */
export type NoticeOwner = { user: string, language: string };

/** What a push says. Null `message`: only that there is one. */
export type Payload = { room: string, message: Uint8Array<ArrayBuffer> | null };

/** A message that was opened. `content`: hostile input, what the sender wrote. */
export type OpenedNotice = { room: string, title: string | null, sender: string | null, kind: number, content: Uint8Array<ArrayBuffer> };
