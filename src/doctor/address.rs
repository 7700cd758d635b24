//! The addresses that browsers are told: can they be the right ones? Compared with the interfaces, with what STUN servers see, and with
//! whether the server answers there. The choice itself is the media core's (`webcall_media::addresses`), made here once more.

use std::net::IpAddr;

use webcall_media::addresses::{AddressWarning, Decision, Situation};

use super::finding::Finding;

const CHECK: &str = "public address";

/// What is advertised and what speaks for it.
pub(super) struct Facts {
    pub(super) situation: Situation,
    pub(super) decision: Decision,
    /// What STUN servers see. Empty when none was asked or none answered.
    pub(super) seen: Vec<IpAddr>,
    /// Advertised addresses that no interface has, and whether the server answered there; `None` when it does not run.
    pub(super) elsewhere: Vec<(IpAddr, Option<bool>)>,
}

/// The addresses, of those, that no interface of this machine has.
pub(super) fn not_here(situation: &Situation, addresses: &[IpAddr]) -> Vec<IpAddr> {
    let is_here = |ip: &IpAddr| situation.interfaces.iter().any(|interface| interface.ip == *ip);
    addresses.iter().copied().filter(|ip| !is_here(ip)).collect()
}

/// What it means: the worst that can be said.
pub(super) fn judge(facts: &Facts) -> Finding {
    if facts.decision.advertised.is_empty() {
        return Finding::fault(CHECK, "no_address", "this machine has no network address, and none is configured")
            .means("the server cannot start")
            .todo("bring a network interface up, or set `advertised` in turn.toml");
    }
    let wrong = facts.elsewhere.iter().find_map(|(ip, answers)| Some((ip, against(facts, *ip, *answers)?)));
    if let Some((ip, reason)) = wrong {
        return Finding::fault(CHECK, "public_address_wrong", format!("{ip} is advertised, {reason}"))
            .means("browsers send media to an address where this server is not: calls connect without sound")
            .todo("set `advertised` in turn.toml to the address that others reach; if it is right and only cannot be reached from inside, show it with --stun HOST:PORT");
    }
    match facts.decision.warnings.first() {
        Some(warning) => warned(*warning, &facts.situation),
        None => Finding::ok(CHECK, format!("advertised, best first: {}", list(&facts.decision.advertised))),
    }
}

/// What speaks against an address that no interface has; `None` for nothing.
fn against(facts: &Facts, ip: IpAddr, answers: Option<bool>) -> Option<String> {
    let of_family: Vec<IpAddr> = facts.seen.iter().copied().filter(|seen| seen.is_ipv4() == ip.is_ipv4()).collect();
    if !of_family.is_empty() {
        return (!of_family.contains(&ip)).then(|| format!("and STUN servers see {}", list(&of_family)));
    }
    (answers == Some(false)).then(|| "no interface has it, and nothing answers there".to_owned())
}

fn warned(warning: AddressWarning, situation: &Situation) -> Finding {
    let own: Vec<IpAddr> = situation.interfaces.iter().map(|interface| interface.ip).filter(|ip| !ip.is_loopback()).collect();
    let code = warning.code();
    match warning {
        AddressWarning::ContainerOnly => Finding::fault(
            CHECK,
            code,
            format!("in a container whose only addresses are {}", list(&own)),
        )
        .means("nobody outside the machine of the container reaches these: calls connect without sound")
        .todo(
            "set `advertised = [\"address of the machine\"]` in turn.toml and publish the UDP ports, or run the container \
                     with --network host",
        ),
        AddressWarning::NoPublic => Finding::warning(CHECK, code, format!("private addresses only: {}", list(&own)))
            .means("calls work in this network; whoever is in another one hears nothing")
            .todo(
                "in a cloud, name a STUN server in `stun_servers`; behind a router, forward the UDP ports and set `advertised`",
            ),
        AddressWarning::LoopbackOnly => Finding::warning(CHECK, code, "no network interface but loopback")
            .means("calls work on this machine only")
            .todo("bring a network interface up"),
    }
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use webcall_media::addresses::{Interface, Place, decide};

    use super::*;
    use crate::doctor::finding::Severity;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn judged(own: &str, configured: &[&str], place: Place, seen: &[&str], answers: Option<bool>) -> (Severity, &'static str) {
        let interfaces =
            vec![Interface { name: "eth0".to_owned(), ip: own.parse().unwrap(), is_passing: false, is_hardware: false }];
        let situation = Situation { interfaces, configured: ips(configured), place, mapped: Vec::new() };
        let decision = decide(&situation);
        let elsewhere = not_here(&situation, &decision.advertised).into_iter().map(|ip| (ip, answers)).collect();
        let finding = judge(&Facts { situation, decision, seen: ips(seen), elsewhere });
        (finding.severity, finding.code)
    }

    #[test]
    fn an_address_is_wrong_when_stun_sees_another_or_when_nothing_answers_there() {
        let (private, wrong, fine) = ("10.0.0.5", (Severity::Fault, "public_address_wrong"), (Severity::Ok, "ok"));
        let configured: &[&str] = &["93.184.216.34"];
        for (seen, answers, expected) in [
            (&[][..], Some(false), wrong),
            (&["1.1.1.1"], Some(true), wrong),
            (&["1.1.1.1"], Some(false), wrong),
            (&["1.1.1.1"], None, wrong),
            // A router that reflects nothing: STUN speaks for it.
            (&["93.184.216.34"], Some(false), fine),
            (&["2a00::1"], Some(false), wrong),
            (&[], Some(true), fine),
            (&[], None, fine),
        ] {
            assert_eq!(judged(private, configured, Place::Machine, seen, answers), expected, "{seen:?} {answers:?}");
        }
    }

    #[test]
    fn a_container_s_own_address_is_a_fault_and_a_house_s_own_address_a_warning() {
        assert_eq!(judged("172.17.0.2", &[], Place::Container, &[], None), (Severity::Fault, "container_address"));
        assert_eq!(judged("192.168.1.2", &[], Place::Machine, &[], None), (Severity::Warning, "no_public_address"));
        assert_eq!(judged("93.184.216.34", &[], Place::Container, &[], None), (Severity::Ok, "ok"));
        assert_eq!(judged("127.0.0.1", &[], Place::Machine, &[], None), (Severity::Warning, "loopback_only"));
    }
}
