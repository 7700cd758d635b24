// The signalling protocol, version 1. Generated from src/signal/protocol.rs: do not edit.
// After a change there: UPDATE=1 cargo nextest run -p webcall declarations

export type VERSION = 1;

export type MAX_FRAME_BYTES = 262144;

export type MAX_TRACKS = 8;

export type MAX_SEATS = 48;

export type MAX_WISHES = 400;

/** A frame from the client. */
export type ClientFrame = {
  /** Chosen by the client, echoed in the answer. */
  id: number;
} & ClientMessage;

/** What a client can say. */
export type ClientMessage =
  | {
    type: "hello";
    /** [`VERSION`]. */
    version: number;
    /** A connection to continue. */
    resume?: Resume;
  }
  | {
    type: "join";
    /** The room. */
    room: string;
    /** What is switched off on entering. */
    muted: Array<Source>;
  }
  | {
    type: "leave";
  }
  | {
    type: "offer";
    /** The browser's SDP. */
    sdp: string;
    /** The sending m-lines. */
    tracks: Array<TrackOffer>;
    /** The receiving pairs of m-lines, in seat order. */
    seats: Array<SeatOffer>;
  }
  | {
    type: "mute";
    /** The source. */
    source: Source;
    /** Off or on. */
    muted: boolean;
  }
  | {
    type: "view";
    /** One for each feed of interest; others count as not visible. */
    wishes: Array<Wish>;
  }
  | {
    type: "hand";
    /** Up or down. */
    raised: boolean;
  }
  | {
    type: "react";
    /** One emoji, at most 32 bytes. */
    emoji: string;
  }
  | {
    type: "moderate";
    /** On whom. */
    participant: string;
    /** What. */
    action: ModeratorAction;
  }
  | {
    type: "post";
    /** The room. */
    room: string;
    /** A UUID made by the client: sending the same again stores nothing more. */
    message: string;
    /** Opaque, 1 to 65,536 bytes; base64url without padding. */
    body: string;
    /** Complete files of one's own in this room, at most 10. */
    files?: Array<string>;
  }
  | {
    type: "history";
    /** The room. */
    room: string;
    /** The newest with a lower number; of both, this counts. */
    before?: number;
    /** The oldest with a higher number. With neither, the newest of all. */
    after?: number;
    /** 1 to 200; 50 when missing. */
    limit?: number;
  }
  | {
    type: "pins";
    /** The room. */
    room: string;
  }
  | {
    type: "delete";
    /** The room. */
    room: string;
    /** The message. */
    message: string;
  }
  | {
    type: "pin";
    /** The room. */
    room: string;
    /** The message. */
    message: string;
  }
  | {
    type: "unpin";
    /** The room. */
    room: string;
    /** The message. */
    message: string;
  }
  | {
    type: "mark_read";
    /** The room. */
    room: string;
    /** The last entry read. */
    seq: number;
  }
  | {
    type: "watch";
    /** The room; `null` for none. */
    room: string | null;
  }
  | {
    type: "typing";
  }
  | {
    type: "away";
    /** Elsewhere. */
    away: boolean;
  }
  | {
    type: "ping";
  };

/** Which connection to continue. */
export type Resume = {
  /** The secret from `welcome`. */
  connection: string;
  /** The last `seq` that arrived. */
  last_seq: number;
};

/** One sending m-line. */
export type TrackOffer = {
  /** Its `a=mid`. */
  mid: string;
  /** What it carries. */
  source: Source;
};

/** One receiving pair of m-lines. */
export type SeatOffer = {
  /** The `a=mid` of the audio m-line. */
  audio_mid: string;
  /** The `a=mid` of the video m-line. */
  video_mid: string;
};

/** How large a feed is shown. */
export type Wish = {
  /** Whose feed. */
  participant: string;
  /** Which of the two. */
  kind: FeedKind;
  /** Width in device pixels; 0 while not visible. */
  width: number;
  /** Pinned by the viewer. */
  pinned: boolean;
};

/** What a moderator can do to a participant. */
export type ModeratorAction =
  | {
    do: "mute";
    /** The source. */
    source: Source;
  }
  | {
    do: "allow";
    /** The source. */
    source: Source;
  }
  | {
    do: "lower_hand";
  }
  | {
    do: "remove";
  };

/** A frame from the server. */
export type ServerFrame = {
  /** Rises by one with every message of the connection, from 1. */
  seq: number;
} & ServerMessage;

/** What the server can say. */
export type ServerMessage =
  | {
    type: "welcome";
    /** The request. */
    id: number;
    /** The secret to resume with. */
    connection: string;
    /** Whether the earlier connection was continued; `false` means start afresh: join again. */
    resumed: boolean;
    /** For how long the server keeps the connection after it broke, seconds. */
    resume_window_s: number;
    /** The server pings this often, seconds; silence of twice that means broken. */
    ping_interval_s: number;
    /** For the connections of media. */
    ice_servers: Array<IceServer>;
  }
  | {
    type: "ok";
    /** The request. */
    id: number;
  }
  | {
    type: "error";
    /** The request; 0 when none could be read. */
    id: number;
    /** Stable, for programs. */
    code: string;
    /** English, for developers; the client shows its own text by code. */
    message: string;
  }
  | {
    type: "joined";
    /** The request. */
    id: number;
    /** The room. */
    room: string;
    /** The call: the same for everybody in it, and another one once all have left. */
    call: string;
    /** How the room is encrypted. The server lets in whoever is a member: a client that cannot do as the room does stays out by itself. */
    encryption: Encryption;
    /** Whether the call hides from the server who speaks: packets say no levels, sound has a constant bitrate, there are no `speakers`. */
    strict: boolean;
    /** Oneself. */
    participant: string;
    /** Everybody in the call, oneself included. */
    participants: Array<Participant>;
    /** What coming into the call's group needs, so that it need not be asked for; null where the call has none, and where it is large: `GET /api/v1/e2ee/groups/{id}/info` tells then. */
    group: GroupInfo | null;
  }
  | {
    type: "answer";
    /** The request. */
    id: number;
    /** The server's SDP. */
    sdp: string;
  }
  | {
    type: "participant_joined";
    /** Who. */
    participant: Participant;
  }
  | {
    type: "participant_changed";
    /** The whole new state. */
    participant: Participant;
  }
  | {
    type: "participant_left";
    /** Who. */
    participant: string;
    /** Why. */
    reason: LeaveReason;
  }
  | {
    type: "seats";
    /** The changed seats. */
    seats: Array<Seat>;
  }
  | {
    type: "speakers";
    /** Participants. */
    participants: Array<string>;
  }
  | {
    type: "reaction";
    /** Who. */
    participant: string;
    /** How. */
    emoji: string;
  }
  | {
    type: "media";
    /** Which. */
    state: MediaState;
  }
  | {
    type: "ice_servers";
    /** For the connections of media. */
    ice_servers: Array<IceServer>;
  }
  | {
    type: "renegotiate";
  }
  | {
    type: "left_out";
    /** What. */
    what: LeftOut;
  }
  | {
    type: "removed";
    /** Why. */
    reason: LeaveReason;
  }
  | {
    type: "room_changed";
    /** The room. */
    room: string;
  }
  | {
    type: "posted";
    /** The request. */
    id: number;
    /** The message as it is stored. */
    entry: Entry;
  }
  | {
    type: "page";
    /** The request. */
    id: number;
    /** The entries. */
    entries: Array<Entry>;
    /** The first entry that is still there; above `last_seq` when none is. */
    first_seq: number;
    /** The last entry; 0 when there was none ever. */
    last_seq: number;
  }
  | {
    type: "pinned";
    /** The request. */
    id: number;
    /** The messages; without a body where all would be too large for one answer: fetch it by `history`. */
    pins: Array<Pinned>;
  }
  | {
    type: "acted";
    /** The request. */
    id: number;
    /** What it added to the log; `null` when the message was pinned before. */
    entry: Entry | null;
  }
  | {
    type: "entry";
    /** The room. */
    room: string;
    /** What. */
    entry: Entry;
  }
  | {
    type: "read";
    /** The room. */
    room: string;
    /** To this entry. */
    read_seq: number;
  }
  | {
    type: "typing";
    /** The room. */
    room: string;
    /** Who. */
    user: string;
  }
  | {
    type: "presence";
    /** The room. */
    room: string;
    /** Who does what. */
    users: Array<Present>;
  }
  | {
    type: "e2ee_keys";
    /** Who. */
    user: string;
  }
  | {
    type: "e2ee_commit";
    /** The group; base64url without padding. */
    group: string;
    /** In which it is now. */
    epoch: number;
  }
  | {
    type: "e2ee_members";
    /** The room. */
    room: string;
  }
  | {
    type: "e2ee_inbox";
    /** Which. */
    device: string;
  }
  | {
    type: "e2ee_message";
    /** The group; base64url without padding. */
    group: string;
    /** Who sent it, by the server's word: the message itself says which member. */
    user: string;
    /** A PrivateMessage of MLS; base64url without padding. */
    message: string;
  }
  | {
    type: "resync";
  }
  | {
    type: "drain";
    /** Milliseconds. */
    retry_ms: number;
  };

/** A server for the browser's `RTCConfiguration`. */
export type IceServer = {
  /** `stun:`, `turn:` or `turns:` addresses. */
  urls: Array<string>;
  /** For TURN. */
  username?: string;
  /** For TURN. */
  credential?: string;
};

/** One participant as others see them. */
export type Participant = {
  /** The participant. */
  participant: string;
  /** Whose window it is. */
  user: string;
  /** The user's name. */
  username: string;
  /** The user's standing in the room. */
  role: Role;
  /** The sources offered, whether switched on or off. */
  sources: Array<SourceState>;
  /** Unix milliseconds. */
  joined_at: number;
  /** Since when the hand is raised, Unix milliseconds; `null` when it is not. */
  hand_raised_at: number | null;
};

/** What coming into a group needs, as `GET /api/v1/e2ee/groups/{id}/info` tells it. Bytes are base64url without padding. */
export type GroupInfo = {
  /** In which the group is. */
  epoch: number;
  /** An MLS message, signed by who made the last commit. */
  group_info: string;
  /** The ratchet tree; null where it is in the GroupInfo. */
  tree: string | null;
};

/** The state of one offered source. */
export type SourceState = {
  /** The source. */
  source: Source;
  /** Switched off, by whoever. */
  muted: boolean;
  /** Switched off by a moderator and not allowed again yet. */
  forbidden: boolean;
};

/** Who sits in a seat. */
export type Seat = {
  /** The index of the seat in the offer. */
  seat: number;
  /** `null` for an empty seat. */
  feed: SeatFeed | null;
};

/** A seated feed. */
export type SeatFeed = {
  /** Whose. */
  participant: string;
  /** Which of the two. */
  kind: FeedKind;
  /** The CSRC of its packets. */
  csrc: number;
};

/** What a track shows or plays. */
export type Source = "microphone" | "camera" | "screen" | "screen_audio";

/** Which of a participant's two feeds takes a seat. */
export type FeedKind = "person" | "screen";

/** How a room is encrypted: fixed when it was made. */
export type Encryption = "open" | "mls";

/** A user's standing in a room. */
export type Role = "member" | "moderator" | "owner";

/** Why somebody is no longer in the call. */
export type LeaveReason = "left" | "timed_out" | "removed" | "room_gone" | "session_ended" | "media_lost";

/** Whether media can flow. */
export type MediaState = "connected" | "disconnected";

/** What a server that cannot carry all leaves out, least missed first. */
export type LeftOut = "nothing" | "sharpness" | "pictures" | "voices";

/** An entry of a room's log. */
export type Entry = {
  /** Its identifier; of a message, made by its sender. */
  id: string;
  /** Its place in the room, from 1 without gaps. */
  seq: number;
  /** What it is. */
  kind: EntryKind;
  /** Who wrote, deleted or pinned. */
  sender: string;
  /** Unix milliseconds. */
  sent_at: number;
  /** Of a message: opaque, base64url without padding; `null` once deleted. */
  body: string | null;
  /** The message that a deletion or a pin is about. */
  target: string | null;
};

/** What an entry is. */
export type EntryKind = "message" | "deletion" | "pin" | "unpin";

/** A pinned message. */
export type Pinned = {
  /** The message. */
  message: Entry;
  /** By whom. */
  pinned_by: string;
  /** Unix milliseconds. */
  pinned_at: number;
};

/** A user and what they are doing. */
export type Present = {
  /** Who. */
  user: string;
  /** What. */
  state: Presence;
};

/** What a user is doing. */
export type Presence = "in_call" | "online" | "away" | "offline";
