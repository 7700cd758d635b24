// What the HTTP API under /api/v1 takes and gives. Times are Unix milliseconds.
import type { Role } from "./protocol.js";

export type User = { id: string, username: string, created_at: number };
export type Grant = { user: User, access_token: string, expires_in: number };
export type SessionRow = { id: string, created_at: number, last_used_at: number, user_agent: string | null, current: boolean };
export type Room = {
  id: string, name: string, encryption: "open", role: Role, link_code: string | null,
  created_at: number, member_count: number, in_call: number,
};
export type Member = { user: string, username: string, role: Role, joined_at: number };
export type RoomWithMembers = Room & { members: Array<Member> };
export type Problem = { type: string, title: string, status: number, detail?: string, code: string };
export type Ticket = { ticket: string, expires_in: number };
export type Config = { registration: "secret", version: string };
