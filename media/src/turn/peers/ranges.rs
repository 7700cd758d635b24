//! The addresses that are nobody's on the public Internet: the registries of special-purpose addresses (RFC 6890 and its updates), the
//! ways to hide an IPv4 address in an IPv6 one, and everything that was never given out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a peer is refused, for the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeniedRange {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, RFC 4193 and the former site-local addresses.
    Private,
    /// `100.64.0.0/10`: behind a carrier's NAT (RFC 6598).
    Shared,
    /// `169.254.0.0/16`, `fe80::/10`: among them the metadata services of clouds.
    LinkLocal,
    /// Multicast and broadcast.
    Multicast,
    /// For documentation and benchmarks.
    Documentation,
    /// Reserved, or never given out.
    Reserved,
    /// An IPv4 address in an IPv6 one: mapped, translated or tunnelled.
    Embedded,
    /// An address of this server.
    Own,
    /// A port below 1024.
    LowPort,
    /// A rule of the configuration.
    Rule,
    /// The credential is for the SFU only.
    Scope,
}

impl DeniedRange {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::Shared,
        Self::LinkLocal,
        Self::Multicast,
        Self::Documentation,
        Self::Reserved,
        Self::Embedded,
        Self::Own,
        Self::LowPort,
        Self::Rule,
        Self::Scope,
    ];
}

/// IPv4 networks: address, prefix length, why.
const V4: [([u8; 4], u32, DeniedRange); 15] = [
    ([0, 0, 0, 0], 8, DeniedRange::Unspecified),
    ([10, 0, 0, 0], 8, DeniedRange::Private),
    ([100, 64, 0, 0], 10, DeniedRange::Shared),
    ([127, 0, 0, 0], 8, DeniedRange::Loopback),
    ([169, 254, 0, 0], 16, DeniedRange::LinkLocal),
    ([172, 16, 0, 0], 12, DeniedRange::Private),
    ([192, 0, 0, 0], 24, DeniedRange::Reserved),
    ([192, 0, 2, 0], 24, DeniedRange::Documentation),
    ([192, 88, 99, 0], 24, DeniedRange::Reserved),
    ([192, 168, 0, 0], 16, DeniedRange::Private),
    ([198, 18, 0, 0], 15, DeniedRange::Documentation),
    ([198, 51, 100, 0], 24, DeniedRange::Documentation),
    ([203, 0, 113, 0], 24, DeniedRange::Documentation),
    ([224, 0, 0, 0], 4, DeniedRange::Multicast),
    ([240, 0, 0, 0], 4, DeniedRange::Reserved),
];

/// IPv6 networks. What is in none of them and outside `2000::/3` was never given out.
const V6: [([u16; 8], u32, DeniedRange); 18] = [
    ([0; 8], 128, DeniedRange::Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, DeniedRange::Loopback),
    ([0; 8], 96, DeniedRange::Embedded),                           // IPv4-compatible
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, DeniedRange::Embedded),    // IPv4-mapped
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, DeniedRange::Embedded),    // IPv4-translated (RFC 7915)
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, DeniedRange::Embedded), // NAT64 (RFC 6052)
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, DeniedRange::Embedded), // NAT64 of one's own (RFC 8215)
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, DeniedRange::Reserved),     // discard (RFC 6666)
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, DeniedRange::Embedded),    // Teredo (RFC 4380)
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, DeniedRange::Reserved),    // protocol assignments (RFC 2928)
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, DeniedRange::Documentation),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, DeniedRange::Embedded), // 6to4 (RFC 3056)
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, DeniedRange::Documentation), // RFC 9637
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, DeniedRange::Reserved), // segment routing (RFC 9602)
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, DeniedRange::Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, DeniedRange::LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, DeniedRange::Private),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, DeniedRange::Multicast),
];

/// The built-in range that an address is in; `None` for a public one.
pub(super) fn built_in(ip: IpAddr) -> Option<DeniedRange> {
    match ip {
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some(DeniedRange::Multicast),
        IpAddr::V4(ip) => {
            let covers = |network: [u8; 4], prefix: u32| (u32::from(ip) ^ u32::from_be_bytes(network)) >> (32 - prefix) == 0;
            V4.iter().find(|(network, prefix, _)| covers(*network, *prefix)).map(|(_, _, range)| *range)
        }
        IpAddr::V6(ip) => {
            let covers = |network: [u16; 8], prefix: u32| {
                (u128::from(ip) ^ u128::from(Ipv6Addr::from(network))).checked_shr(128 - prefix).unwrap_or(0) == 0
            };
            let listed = V6.iter().find(|(network, prefix, _)| covers(*network, *prefix)).map(|(_, _, range)| *range);
            let is_isatap = is_isatap(ip).then_some(DeniedRange::Embedded);
            let is_given_out = ip.segments()[0] & 0xe000 == 0x2000;
            listed.or(is_isatap).or((!is_given_out).then_some(DeniedRange::Reserved))
        }
    }
}

/// Whether the lower half is that of ISATAP (RFC 5214 §6.1).
pub(super) fn is_isatap(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    segments[4] & !0x0200 == 0 && segments[5] == 0x5efe
}
