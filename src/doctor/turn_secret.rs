//! Whether the running TURN server takes credentials made with the secret of these settings: a real allocation, given back at once.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use webcall_media::turn::{Scope, Secret, issue_credential};

use super::finding::Finding;
use super::udp::{self, Allocation};

const CHECK: &str = "TURN secret";
/// As long as what browsers get, so that a clock that is hours off does not look like a wrong secret.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Whose the allocation is, in the server's figures of users.
const USER: &str = "doctor";

/// Makes the allocation.
pub(super) async fn gather(address: SocketAddr, secret: &str) -> Allocation {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = (now + CREDENTIAL_LIFETIME).as_secs();
    match issue_credential(&Secret::new(secret), USER, Scope::Sfu, expires) {
        Ok(credential) => udp::allocate(address, &credential.username, &credential.password).await,
        Err(_) => Allocation::Silent,
    }
}

/// What it means.
pub(super) fn judge(allocation: Allocation) -> Finding {
    match allocation {
        Allocation::Granted(relay) => {
            Finding::ok(CHECK, format!("the TURN server takes credentials made with TURN_SECRET; its relays are at {relay}"))
        }
        Allocation::Refused(401) => {
            Finding::fault(CHECK, "turn_secret_mismatch", "the TURN server refuses credentials made with TURN_SECRET (401)")
                .means("browsers that need TURN get no call, if the servers that hand out credentials have this secret")
                .todo("give the server and this command the same TURN_SECRET and --data; after a change, restart the server")
        }
        Allocation::Refused(code) => {
            Finding::warning(CHECK, "turn_refused", format!("the TURN server refuses an allocation with code {code}"))
                .means("486 and 508: it is full; others: see RFC 8656 §19")
                .todo("for 486 and 508 raise the limits in [turn] of turn.toml")
        }
        Allocation::Silent => Finding::note(CHECK, "turn_silent", "not seen, because the TURN port does not answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn only_a_refusal_of_the_credential_is_a_wrong_secret() {
        for (allocation, severity, code) in [
            (Allocation::Granted(std::net::Ipv4Addr::LOCALHOST.into()), Severity::Ok, "ok"),
            (Allocation::Refused(401), Severity::Fault, "turn_secret_mismatch"),
            (Allocation::Refused(486), Severity::Warning, "turn_refused"),
            (Allocation::Silent, Severity::Note, "turn_silent"),
        ] {
            let finding = judge(allocation);
            assert_eq!((finding.severity, finding.code), (severity, code));
        }
    }
}
