// What the HTTP API under /api/v1 takes and gives. Times are Unix milliseconds.
import type { Entry, Role } from "./protocol.js";

export type User = { id: string, username: string, created_at: number };
export type Grant = { user: User, access_token: string, expires_in: number };
export type SessionRow = { id: string, created_at: number, last_used_at: number, user_agent: string | null, current: boolean };
export type Room = {
  id: string, name: string, encryption: "open" | "mls", strict: boolean, role: Role, link_code: string | null,
  created_at: number, member_count: number, in_call: number, call: string | null,
  kind: "room" | "direct", topic: string, locked: boolean, slow_mode_s: number,
  /** null: for ever. */
  retention_days: number | null,
  /** The log holds the entries `first_seq` to `last_seq`; `read_seq` is the own read marker. */
  first_seq: number, last_seq: number, read_seq: number, chat_muted: boolean,
  /** All members of a direct conversation; empty for rooms. */
  people: Array<{ user: string, username: string }>,
  last_entry: Entry | null,
};
export type EntryPage = { entries: Array<Entry>, first_seq: number, last_seq: number };
export type Pin = { message: Entry, pinned_by: string, pinned_at: number };
export type RoomChanges = { topic?: string, locked?: boolean, slow_mode_s?: number, retention_days?: number | null };
export type Member = { user: string, username: string, role: Role, joined_at: number, chat_muted: boolean };
/** What members show to be let into a room's group, for members' clients to check; base64url without padding. */
export type Invitations = { link_code: string, invitations: Array<{ user: string, invitation: string }> };
export type Ban = { user: string, username: string, banned_by: string, banned_at: number };
export type ActKind =
  | "rename" | "reset_link" | "topic" | "lock" | "unlock" | "slow_mode" | "retention" | "role" | "hand_over" | "remove" | "ban" | "unban"
  | "mute_in_chat" | "unmute_in_chat" | "pin" | "unpin" | "delete_message" | "forbid" | "allow" | "remove_from_call";
export type Act = {
  id: string, at: number, actor: string, actor_name: string | null, act: ActKind,
  subject: string | null, subject_name: string | null, detail: string,
};
export type RoomWithMembers = Room & { members: Array<Member> };
export type Problem = { type: string, title: string, status: number, detail?: string, code: string };
export type Ticket = { ticket: string, expires_in: number };
export type Config = { registration: "secret", version: string, files: { max_file_bytes: number, max_user_bytes: number } };

// A file that is being sent: `received` of `size` bytes are there.
export type FileState = { id: string, received: number, size: number };

// The connection test. What a browser found out is sent as a report and kept for the operator.
export type TestCall = { id: string, workers: number };
export type TestParticipant = { participant: string, sdp: string };
export type StepName = "websocket" | "udp" | "ice_tcp" | "turn_udp" | "turn_tcp" | "turn_tls" | "camera" | "microphone" | "echo";
export type Outcome = "good" | "bad" | "not_offered" | "skipped";
export type DiagnosticPort = { port: number, outcome: Outcome, reason?: string, took_ms?: number };
export type Figures = {
  loss_up_permille: number, loss_down_permille: number, round_trip_ms?: number,
  sent_kbps: number, received_kbps: number, frames_per_second: number,
};
export type DiagnosticStep = {
  name: StepName, outcome: Outcome, reason?: string, took_ms?: number, ports?: Array<DiagnosticPort>, figures?: Figures,
};
export type DiagnosticReport = { browser: string, verdict: string, steps: Array<DiagnosticStep> };
