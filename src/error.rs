//! What a use-case can answer instead of what was asked. Every variant has a stable code, the same over HTTP and WebSocket; the text
//! is for developers, the web client shows its own by code. Nothing here knows HTTP: `http/problem.rs` turns an error into a
//! response.

mod e2ee;

pub use e2ee::E2eeError;

use thiserror::Error;
use webcall_media::MediaError;
use webcall_trust::Refusal;

use crate::store::StoreError;

/// A refusal or failure that the one who asked is told about.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is not what the interface describes.
    #[error("{0}")]
    Malformed(String),
    /// The body's content type is not the one that the route takes.
    #[error("the content type must be application/json, or application/octet-stream for the bytes of a file")]
    UnsupportedMediaType,
    /// The body is too large.
    #[error("the body may have at most {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A value is well-formed but not allowed; the code names which.
    #[error("{detail}")]
    Invalid {
        /// The stable code, `invalid_…`.
        code: &'static str,
        /// What is allowed.
        detail: &'static str,
    },
    /// No such route or asset.
    #[error("there is nothing here")]
    NotFound,
    /// The route exists, the method does not.
    #[error("this method is not allowed here")]
    MethodNotAllowed,

    /// Not signed in, or the access token is no longer valid.
    #[error("sign in first")]
    NotSignedIn,
    /// The session was ended or has expired, or its refresh token was used twice.
    #[error("the session has ended: log in again")]
    SessionEnded,
    /// Unknown user or wrong password: never told apart.
    #[error("the username or the password is wrong")]
    WrongCredentials,
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The registration secret is wrong.
    #[error("the registration secret is wrong")]
    WrongRegistrationSecret,
    /// The WebSocket ticket is unknown, used or expired.
    #[error("the ticket is unknown, was used or has expired")]
    TicketInvalid,
    /// The request comes from a page of another origin.
    #[error("requests from this origin are not allowed")]
    OriginRefused,

    /// The username is taken.
    #[error("the username is taken")]
    UsernameTaken,
    /// Somebody has a username that is taken for this one.
    #[error("somebody has a username that looks like this one")]
    UsernameLooksTaken,
    /// No such session of this user.
    #[error("no such session")]
    SessionNotFound,

    /// No such room, or not a member: never told apart.
    #[error("no such room, or you are not a member of it")]
    RoomNotFound,
    /// No room has this link.
    #[error("no room has this link")]
    LinkNotFound,
    /// The user is not a member of the room.
    #[error("no such member")]
    MemberNotFound,
    /// The role does not allow it.
    #[error("your role in this room does not allow this")]
    NotAllowed,
    /// The owner cannot leave.
    #[error("the owner cannot leave: delete the room instead")]
    OwnerCannotLeave,
    /// A moderator banned the user from the room.
    #[error("you are banned from this room")]
    Banned,
    /// The user is not banned from the room.
    #[error("that user is not banned from this room")]
    BanNotFound,
    /// The room has as many bans as it may.
    #[error("the room has as many bans as it may have")]
    TooManyBans,
    /// The room has as many members as it may.
    #[error("the room has as many members as it may have")]
    TooManyMembers,
    /// The user is in as many rooms as they may.
    #[error("you are in as many rooms as you may be")]
    TooManyRooms,

    /// No such message in this room, or it was deleted.
    #[error("no such message, or it was deleted")]
    MessageNotFound,
    /// Another message has this identifier.
    #[error("another message has this identifier")]
    MessageIdTaken,
    /// Only moderators write here now.
    #[error("the room is locked: only moderators write")]
    RoomLocked,
    /// A moderator muted the member.
    #[error("a moderator has muted you in this room")]
    ChatMuted,
    /// Too soon after the last message.
    #[error("the room is in slow mode: try again in {retry_after_s} s")]
    SlowMode {
        /// Seconds until one passes.
        retry_after_s: u64,
    },
    /// The room has as many pinned messages as it may.
    #[error("the room has as many pinned messages as it may have")]
    TooManyPins,
    /// No user has this name.
    #[error("no user has this name")]
    UserNotFound,
    /// No such file, not complete, or not a member of its room: never told apart.
    #[error("no such file, or you are not a member of its room")]
    FileNotFound,
    /// The file has more bytes than allowed, or than were announced.
    #[error("the file may have at most {limit_bytes} bytes")]
    FileTooLarge {
        /// The limit.
        limit_bytes: i64,
    },
    /// The user has as many files or bytes as they may.
    #[error("you have as many files as you may have")]
    FileQuotaExceeded,
    /// The user has as many unfinished files as they may.
    #[error("you have as many unfinished files as you may have: finish or delete one")]
    TooManyUploads,
    /// The bytes do not go on where the file ends.
    #[error("the file does not go on there: ask how far it is")]
    WrongOffset,
    /// Another request writes the file.
    #[error("another request is sending this file")]
    UploadBusy,
    /// The part that was asked for lies behind the end of the file.
    #[error("the file has {size_bytes} bytes only")]
    RangeNotSatisfiable {
        /// The file's size.
        size_bytes: u64,
    },

    /// What end-to-end encryption does not take, for the reason that a client would have, too.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// End-to-end encryption: what is there already, not there, or too much.
    #[error(transparent)]
    E2ee(#[from] E2eeError),

    /// No such test call of this user; it may be over.
    #[error("no such test call, or it is over")]
    TestCallNotFound,
    /// The test call has as many participants as it may.
    #[error("the test call has as many participants as it may have")]
    TestCallFull,
    /// The server has as many test calls as it may.
    #[error("too many test calls are going on: try again in a minute")]
    TooManyTestCalls,
    /// The media core refused.
    #[error(transparent)]
    Media(MediaError),

    /// Too many requests of this kind.
    #[error("too many requests: try again in {retry_after_s} s")]
    RateLimited {
        /// Seconds until one passes.
        retry_after_s: u64,
    },
    /// The server has too much to do.
    #[error("the server is busy: try again shortly")]
    Busy,
    /// There is no space left.
    #[error("the server has no space left")]
    DiskFull,
    /// Where files are kept does not answer, or refuses.
    #[error("files cannot be kept or read at the moment: try again shortly")]
    StorageUnavailable,
    /// The request took too long.
    #[error("the request took too long")]
    TimedOut,
    /// Something broke. The cause is logged, never sent.
    #[error("something went wrong on the server")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// As the one who asked is told: load and a full disk are no faults of the server.
    pub fn shown(&self) -> &Self {
        let Self::Internal(cause) = self else { return self };
        match cause.downcast_ref::<StoreError>() {
            Some(error) if error.is_unavailable() => &Self::Busy,
            Some(error) if error.is_full() => &Self::DiskFull,
            _ => self,
        }
    }

    /// The stable code that programs go by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::Invalid { code, .. } => code,
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotSignedIn => "not_signed_in",
            Self::SessionEnded => "session_ended",
            Self::WrongCredentials => "wrong_credentials",
            Self::WrongPassword => "wrong_password",
            Self::WrongRegistrationSecret => "wrong_registration_secret",
            Self::TicketInvalid => "ticket_invalid",
            Self::OriginRefused => "origin_refused",
            Self::UsernameTaken => "username_taken",
            Self::UsernameLooksTaken => "username_looks_taken",
            Self::SessionNotFound => "session_not_found",
            Self::RoomNotFound => "room_not_found",
            Self::LinkNotFound => "link_not_found",
            Self::MemberNotFound => "member_not_found",
            Self::NotAllowed => "not_allowed",
            Self::OwnerCannotLeave => "owner_cannot_leave",
            Self::Banned => "banned",
            Self::BanNotFound => "ban_not_found",
            Self::TooManyBans => "too_many_bans",
            Self::TooManyMembers => "too_many_members",
            Self::TooManyRooms => "too_many_rooms",
            Self::MessageNotFound => "message_not_found",
            Self::MessageIdTaken => "message_id_taken",
            Self::RoomLocked => "room_locked",
            Self::ChatMuted => "chat_muted",
            Self::SlowMode { .. } => "slow_mode",
            Self::TooManyPins => "too_many_pins",
            Self::UserNotFound => "user_not_found",
            Self::FileNotFound => "file_not_found",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::FileQuotaExceeded => "file_quota_exceeded",
            Self::TooManyUploads => "too_many_uploads",
            Self::WrongOffset => "wrong_offset",
            Self::UploadBusy => "upload_busy",
            Self::RangeNotSatisfiable { .. } => "range_not_satisfiable",
            Self::Refused(refusal) => refusal.code(),
            Self::E2ee(error) => error.code(),
            Self::TestCallNotFound => "test_call_not_found",
            Self::TestCallFull => "test_call_full",
            Self::TooManyTestCalls => "too_many_test_calls",
            Self::Media(error) => error.code(),
            Self::RateLimited { .. } => "rate_limited",
            Self::Busy => "busy",
            Self::DiskFull => "disk_full",
            Self::StorageUnavailable => "storage_unavailable",
            Self::TimedOut => "timed_out",
            Self::Internal(_) => "internal",
        }
    }
}

impl From<MediaError> for Error {
    fn from(error: MediaError) -> Self {
        Self::Media(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(Box::new(error))
    }
}
