// The signalling protocol, version 1, as `src/signal/protocol.rs` types it. Generated from there: do not edit by hand.

export type FeedKind = "person" | "screen";
export type LeaveReason = "left" | "timed_out" | "removed" | "room_gone" | "session_ended" | "media_lost";
export type MediaState = "connected" | "disconnected";
export type Role = "member" | "moderator" | "owner";
export type Source = "microphone" | "camera" | "screen" | "screen_audio";

export type Resume = { connection: string, last_seq: number };
export type TrackOffer = { mid: string, source: Source };
export type SeatOffer = { audio_mid: string, video_mid: string };
export type Wish = { participant: string, kind: FeedKind, width: number, pinned: boolean };
export type ModeratorAction = { "do": "mute", source: Source } | { "do": "allow", source: Source } | { "do": "remove" };

export type ClientMessage =
  | { "type": "hello", version: number, resume?: Resume }
  | { "type": "join", room: string, muted: Array<Source> }
  | { "type": "leave" }
  | { "type": "offer", sdp: string, tracks: Array<TrackOffer>, seats: Array<SeatOffer> }
  | { "type": "mute", source: Source, muted: boolean }
  | { "type": "view", wishes: Array<Wish> }
  | { "type": "moderate", participant: string, action: ModeratorAction }
  | { "type": "ping" };
export type ClientFrame = { id: number } & ClientMessage;

export type SourceState = { source: Source, muted: boolean, forbidden: boolean };
export type Participant = { participant: string, user: string, username: string, role: Role, sources: Array<SourceState>, joined_at: number };
export type SeatFeed = { participant: string, kind: FeedKind, csrc: number };
export type Seat = { seat: number, feed: SeatFeed | null };

export type ServerMessage =
  | { "type": "welcome", id: number, connection: string, resumed: boolean, resume_window_s: number, ping_interval_s: number }
  | { "type": "ok", id: number }
  | { "type": "error", id: number, code: string, message: string }
  | { "type": "joined", id: number, room: string, participant: string, participants: Array<Participant> }
  | { "type": "answer", id: number, sdp: string }
  | { "type": "participant_joined", participant: Participant }
  | { "type": "participant_changed", participant: Participant }
  | { "type": "participant_left", participant: string, reason: LeaveReason }
  | { "type": "seats", seats: Array<Seat> }
  | { "type": "speakers", participants: Array<string> }
  | { "type": "media", state: MediaState }
  | { "type": "renegotiate" }
  | { "type": "removed", reason: LeaveReason }
  | { "type": "room_changed", room: string }
  | { "type": "drain", retry_ms: number };
export type ServerFrame = { seq: number } & ServerMessage;
