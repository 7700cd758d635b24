//! How many files the server may open, and the buffers that its UDP ports get. The limit is that of the running server where this
//! process may see it, else its own, which is the server's when both are started alike.

use std::fs;

use webcall_media::MediaConfig;
use webcall_media::probe::granted_buffers;

use super::finding::Finding;

const FILES: &str = "file limit";
const BUFFERS: &str = "socket buffers";
/// The database, the log, pipes, the libraries' own.
const BASE_FILES: u64 = 100;
/// A participant: a WebSocket, and an HTTP connection beside it.
const FILES_PER_PARTICIPANT: u64 = 2;
/// HTTP connections that the server takes at a time (`src/http/server.rs`).
const HTTP_CONNECTIONS: u64 = 4_096;
/// A port with less loses packets with every keyframe: one of a 1080p screen share alone is 100 to 300 kB, sent at once.
const LEAST_BUFFER_BYTES: usize = 128 << 10;

/// The limit, and what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileFacts {
    pub(super) soft: u64,
    pub(super) hard: u64,
    pub(super) owner: Owner,
    /// For one full call.
    pub(super) least: u64,
    /// For all that the settings admit.
    pub(super) wanted: u64,
}

/// Whose limit it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    Server,
    ThisCommand,
}

/// Reads the limit of the server's process, else of this one.
pub(super) fn gather_files(media: &MediaConfig, server: Option<u32>) -> Option<FileFacts> {
    let of_server = server.and_then(|id| fs::read_to_string(format!("/proc/{id}/limits")).ok());
    let of_server = of_server.as_deref().and_then(parse_limits).map(|(soft, hard)| (soft, hard, Owner::Server));
    let own = || {
        let (soft, hard) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).ok()?;
        Some((soft, hard, Owner::ThisCommand))
    };
    let (soft, hard, owner) = of_server.or_else(own)?;
    let base = BASE_FILES + 3 * media.workers as u64;
    let relays = media.turn.as_ref().map_or(0, |turn| (turn.common.limits.max_allocations * media.workers) as u64);
    let participants = FILES_PER_PARTICIPANT * media.max_participants as u64;
    Some(FileFacts { soft, hard, owner, least: base + participants, wanted: base + participants + HTTP_CONNECTIONS + relays })
}

/// `Max open files  1024  524288  files` of `/proc/PID/limits`.
fn parse_limits(text: &str) -> Option<(u64, u64)> {
    let mut words = text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_ascii_whitespace();
    let mut limit = || match words.next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    };
    Some((limit()?, limit()?))
}

/// What it means.
pub(super) fn judge_files(facts: Option<FileFacts>) -> Finding {
    let Some(FileFacts { soft, hard, owner, least, wanted }) = facts else {
        return Finding::note(FILES, "file_limit_unknown", "the system does not say");
    };
    let whose = if owner == Owner::Server { "the server" } else { "a program started like this one" };
    let found = format!(
        "{whose} may open {soft} files (hard limit {hard}); one full call takes {least}, all that the settings admit {wanted}"
    );
    let todo = format!("LimitNOFILE={wanted} in the systemd unit, --ulimit nofile={wanted} for Docker, or ulimit -n {wanted}");
    if soft < least {
        return Finding::fault(FILES, "file_limit_low", found)
            .means("a full call is refused connections: pages do not load, relays fail")
            .todo(todo);
    }
    if soft < wanted {
        return Finding::warning(FILES, "file_limit_low", found).means("a busy server refuses connections and relays").todo(todo);
    }
    Finding::ok(FILES, found)
}

/// What was asked for and what a port got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BufferFacts {
    pub(super) asked_bytes: usize,
    pub(super) receive_bytes: usize,
    pub(super) send_bytes: usize,
}

/// Opens a port as the server does. Root gets more than others, so this is to be run as the server's user.
pub(super) fn gather_buffers(media: &MediaConfig) -> Option<BufferFacts> {
    let asked_bytes = media.socket_buffer_bytes;
    let (receive_bytes, send_bytes) = granted_buffers(asked_bytes).ok()?;
    Some(BufferFacts { asked_bytes, receive_bytes, send_bytes })
}

/// What it means.
pub(super) fn judge_buffers(facts: Option<BufferFacts>) -> Finding {
    let Some(BufferFacts { asked_bytes, receive_bytes, send_bytes }) = facts else {
        return Finding::note(BUFFERS, "socket_buffer_unknown", "no UDP port could be opened to see");
    };
    let found = format!("a UDP port asks for {asked_bytes} bytes and gets {receive_bytes} to receive and {send_bytes} to send");
    let got = receive_bytes.min(send_bytes);
    let means = "packets are lost when many come at once, above all keyframes: pictures freeze";
    let todo = match got < asked_bytes {
        true => format!(
            "sysctl -w net.core.rmem_max={asked_bytes} net.core.wmem_max={asked_bytes}, kept in /etc/sysctl.d/webcall.conf"
        ),
        false => format!("raise socket_buffer_bytes in turn.toml; the default is {}", MediaConfig::default().socket_buffer_bytes),
    };
    if got < LEAST_BUFFER_BYTES {
        return Finding::fault(BUFFERS, "socket_buffer_small", found).means(means).todo(todo);
    }
    if got < asked_bytes {
        return Finding::warning(BUFFERS, "socket_buffer_small", found).means(format!("in busy calls {means}")).todo(todo);
    }
    Finding::ok(BUFFERS, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn a_file_limit_is_too_low_for_one_call_for_all_calls_or_for_none() {
        for (soft, severity) in [
            (64, Severity::Fault),
            (503, Severity::Fault),
            (504, Severity::Warning),
            (20_000, Severity::Ok),
            (u64::MAX, Severity::Ok),
        ] {
            let facts = FileFacts { soft, hard: soft, owner: Owner::Server, least: 504, wanted: 14_600 };
            assert_eq!(judge_files(Some(facts)).severity, severity, "{soft}");
        }
        assert_eq!(judge_files(None).severity, Severity::Note);
    }

    #[test]
    fn a_shell_s_usual_limit_carries_a_full_call() {
        let facts = gather_files(&MediaConfig { workers: 8, ..MediaConfig::default() }, None).unwrap();
        assert!(facts.least <= 1_024 && facts.least < facts.wanted, "{facts:?}");
    }

    #[test]
    fn the_table_of_limits_is_read() {
        let text = "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 unlimited            files     \n";
        assert_eq!(parse_limits(text), Some((1_024, u64::MAX)));
        assert_eq!(parse_limits("Max open files x"), None);
        assert_eq!(parse_limits(""), None);
    }

    #[test]
    fn buffers_are_tiny_cut_or_whole() {
        let judged = |asked, receive, send| {
            let finding = judge_buffers(Some(BufferFacts { asked_bytes: asked, receive_bytes: receive, send_bytes: send }));
            (finding.severity, finding.todo.contains("sysctl"))
        };
        assert_eq!(judged(4 << 20, 4 << 20, 4 << 20), (Severity::Ok, false));
        assert_eq!(judged(4 << 20, 212_992, 4 << 20), (Severity::Warning, true));
        assert_eq!(judged(4 << 20, 4 << 20, 65_536), (Severity::Fault, true));
        assert_eq!(judged(65_536, 65_536, 65_536), (Severity::Fault, false));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_gets_no_more_than_it_asks_for() {
        let facts = gather_buffers(&MediaConfig { socket_buffer_bytes: 65_536, ..MediaConfig::default() }).unwrap();
        assert_eq!((facts.receive_bytes, facts.send_bytes), (65_536, 65_536));
    }
}
