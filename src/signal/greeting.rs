//! The first message of a socket. Pure. What comes before `hello` is refused and changes nothing; the socket closes after a while.

use super::protocol::{ClientFrame, ClientMessage, VERSION};
use super::refusal::Refusal;
use super::resume::SecretDigest;

/// How a client begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Greeting {
    /// With a new connection.
    Fresh { id: u32 },
    /// With one that it had before.
    Resume { id: u32, secret: SecretDigest, last_seq: u64 },
}

pub(super) fn greet(frame: ClientFrame) -> Result<Greeting, Refusal> {
    let id = frame.id;
    match frame.message {
        ClientMessage::Hello { version, .. } if version != VERSION => Err(Refusal::VersionUnsupported),
        ClientMessage::Hello { resume: None, .. } => Ok(Greeting::Fresh { id }),
        ClientMessage::Hello { resume: Some(resume), .. } => {
            Ok(Greeting::Resume { id, secret: SecretDigest::of(&resume.connection), last_seq: resume.last_seq })
        }
        _ => Err(Refusal::HelloExpected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::protocol::Resume;

    fn hello(version: u32, resume: Option<Resume>) -> ClientFrame {
        ClientFrame { id: 9, message: ClientMessage::Hello { version, resume } }
    }

    #[test]
    fn hello_begins_afresh_or_where_it_broke_off() {
        assert_eq!(greet(hello(VERSION, None)), Ok(Greeting::Fresh { id: 9 }));
        let resume = Resume { connection: "secret".to_owned(), last_seq: 3 };
        let expected = Greeting::Resume { id: 9, secret: SecretDigest::of("secret"), last_seq: 3 };
        assert_eq!(greet(hello(VERSION, Some(resume))), Ok(expected));
    }

    #[test]
    fn another_version_is_refused() {
        assert_eq!(greet(hello(VERSION + 1, None)), Err(Refusal::VersionUnsupported));
        assert_eq!(greet(hello(0, None)), Err(Refusal::VersionUnsupported));
    }

    #[test]
    fn nothing_else_can_come_first() {
        let room = "0190b0a0-0000-7000-8000-000000000000".to_owned();
        let others = [
            ClientMessage::Join { room, muted: vec![] },
            ClientMessage::Leave {},
            ClientMessage::Ping {},
            ClientMessage::View { wishes: vec![] },
        ];
        for message in others {
            assert_eq!(greet(ClientFrame { id: 1, message }), Err(Refusal::HelloExpected));
        }
    }
}
