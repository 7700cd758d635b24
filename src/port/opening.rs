//! Finds out what a connection speaks: a proxy's header first, where one is due, then the protocol's own first bytes, and the same again
//! within TLS. Each step has its time; a connection that is slower, or speaks nothing known, is closed.

use std::io::Cursor;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ppp::v2::{Addresses, Command, Header, ParseError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Chain, Join, ReadHalf, WriteHalf, join, split};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use webcall_media::turn::{Alpn, FirstBytes, alpn, first_bytes};

use crate::http::HttpVersion;
use crate::tls::Tls;

/// How long a connection may take to say what it is. Browsers open spare connections, on which nothing comes for a while: they open
/// another when one is closed.
const FIRST_BYTES_TIME: Duration = Duration::from_secs(10);
/// How long the handshake of TLS may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// What a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Speaks {
    Tls,
    Http(HttpVersion),
    Turn,
    Packets,
}

/// A proxy's header with the first bytes behind it: the header's addresses take 36 bytes, its extensions may take more.
const MAX_OPENING_BYTES: usize = 4_096;

/// A connection that has said what it is. What it said is still to be read.
pub(super) struct Opened<S> {
    pub(super) io: Replayed<S>,
    /// The other end, as a trusted proxy names it where there is one.
    pub(super) remote: SocketAddr,
    pub(super) speaks: Speaks,
}

/// A connection whose first bytes are read again.
type Replayed<S> = Join<Chain<Cursor<Vec<u8>>, ReadHalf<S>>, WriteHalf<S>>;

/// Waits for the first bytes.
pub(super) async fn open<S>(mut stream: S, remote: SocketAddr, proxies: &[IpAddr]) -> Option<Opened<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let is_proxied = proxies.contains(&remote.ip());
    let mut first = Vec::new();
    let opening = async {
        let remote = if is_proxied { proxied(&mut stream, &mut first, remote).await? } else { remote };
        Some((remote, peek(&mut stream, &mut first).await?))
    };
    let (remote, speaks) = timeout(FIRST_BYTES_TIME, opening).await.ok()??;
    Some(Opened { io: replay(first, stream), remote, speaks })
}

/// Agrees on TLS, and waits for what is spoken in it.
pub(super) async fn decrypt<S>(opened: Opened<S>, tls: &Tls) -> Option<Opened<TlsStream<Replayed<S>>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = async {
        let begun = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), opened.io).await.ok()?;
        let config = tls.config_for(&begun.client_hello());
        // An authority that asks for proof wants the certificate and no more.
        let is_proof = tls.acme_config().is_some_and(|acme| Arc::ptr_eq(&acme, &config));
        let stream = begun.into_stream(config).await.ok()?;
        (!is_proof).then_some(stream)
    };
    let mut stream = timeout(HANDSHAKE_TIME, handshake).await.ok()??;
    let agreed = stream.get_ref().1.alpn_protocol().map(|name| (alpn(name), name == b"h2"));
    let mut first = Vec::new();
    let speaks = match agreed {
        Some((Some(Alpn::Http), is_http2)) => Speaks::Http(if is_http2 { HttpVersion::Two } else { HttpVersion::One }),
        Some((Some(Alpn::Turn), _)) => Speaks::Turn,
        // Browsers name no protocol for TURN.
        _ => timeout(FIRST_BYTES_TIME, peek(&mut stream, &mut first)).await.ok()??,
    };
    Some(Opened { io: replay(first, stream), remote: opened.remote, speaks })
}

/// Reads until the first bytes tell; they stay in `first`.
async fn peek(io: &mut (impl AsyncRead + Unpin), first: &mut Vec<u8>) -> Option<Speaks> {
    loop {
        match first_bytes(first) {
            FirstBytes::TooFew => more(io, first).await?,
            FirstBytes::Tls => return Some(Speaks::Tls),
            FirstBytes::Http => return Some(Speaks::Http(HttpVersion::One)),
            FirstBytes::Turn => return Some(Speaks::Turn),
            FirstBytes::IceTcp => return Some(Speaks::Packets),
            FirstBytes::Unknown => return None,
        }
    }
}

/// Reads the header of a trusted proxy: whom it speaks for. What follows the header stays in `first`.
async fn proxied(io: &mut (impl AsyncRead + Unpin), first: &mut Vec<u8>, proxy: SocketAddr) -> Option<SocketAddr> {
    loop {
        let (header_bytes, remote) = match Header::try_from(&first[..]) {
            Ok(header) => (header.len(), source(&header, proxy)),
            Err(ParseError::Incomplete(_) | ParseError::Partial(..)) => {
                more(io, first).await?;
                continue;
            }
            Err(_) => return None,
        };
        first.drain(..header_bytes);
        return Some(remote);
    }
}

/// The address that a header names; the proxy's own where it speaks for itself, as for a check of its own.
fn source(header: &Header<'_>, proxy: SocketAddr) -> SocketAddr {
    match (header.command, header.addresses) {
        (Command::Proxy, Addresses::IPv4(addresses)) => SocketAddr::from((addresses.source_address, addresses.source_port)),
        (Command::Proxy, Addresses::IPv6(addresses)) => {
            SocketAddr::new(IpAddr::V6(addresses.source_address).to_canonical(), addresses.source_port)
        }
        _ => proxy,
    }
}

/// Reads what there is; `None` at the end, and beyond what an opening may take.
async fn more(io: &mut (impl AsyncRead + Unpin), first: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 1_024];
    let len = io.read(&mut buffer).await.ok().filter(|len| *len > 0)?;
    first.extend_from_slice(&buffer[..len]);
    (first.len() <= MAX_OPENING_BYTES).then_some(())
}

fn replay<S: AsyncRead + AsyncWrite>(first: Vec<u8>, io: S) -> Replayed<S> {
    let (reading, writing) = split(io);
    join(Cursor::new(first).chain(reading), writing)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::*;

    const CHECK: [u8; 22] = [0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    /// TCP over IPv4 from 203.0.113.7:4711 to 192.0.2.1:443.
    const HEADER: [u8; 28] =
        [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xbb];

    fn proxy() -> SocketAddr {
        "198.51.100.1:9999".parse().unwrap()
    }

    async fn opened(parts: &[&[u8]], proxies: &[IpAddr]) -> (Option<Opened<DuplexStream>>, DuplexStream) {
        let (mut client, server) = duplex(64);
        let opening = open(server, proxy(), proxies);
        let writing = async {
            for part in parts {
                client.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let (opened, ()) = tokio::join!(opening, writing);
        (opened, client)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_spoken_is_told_however_the_first_bytes_are_cut_and_can_be_read_again() {
        let told: [(&[u8], Speaks); 4] = [
            (GET, Speaks::Http(HttpVersion::One)),
            (&CHECK, Speaks::Packets),
            (&CHECK[2..], Speaks::Turn),
            (&[0x16, 3, 1, 0, 100], Speaks::Tls),
        ];
        for (bytes, speaks) in told {
            for piece in [1, 3, 100] {
                let (opened, mut client) = opened(&bytes.chunks(piece).collect::<Vec<_>>(), &[]).await;
                let mut opened = opened.unwrap();
                assert_eq!(opened.speaks, speaks);
                client.shutdown().await.unwrap();
                let mut again = Vec::new();
                opened.io.read_to_end(&mut again).await.unwrap();
                assert_eq!(again, bytes);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_or_too_slowly_is_closed_in_time() {
        for (first, proxies) in [(&b""[..], &[][..]), (&CHECK[..1], &[]), (&HEADER[..20], &[proxy().ip()])] {
            let before = Instant::now();
            let (mut client, server) = duplex(64);
            client.write_all(first).await.unwrap();
            assert!(open(server, proxy(), proxies).await.is_none());
            assert_eq!(before.elapsed().as_secs(), FIRST_BYTES_TIME.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_speaks_nothing_known_is_closed_at_once() {
        let before = Instant::now();
        assert!(opened(&[&[0x80, 0]], &[]).await.0.is_none());
        assert!(opened(&[&HEADER, GET], &[]).await.0.is_none(), "a header of a proxy that nobody trusts");
        assert!(opened(&[GET], &[proxy().ip()]).await.0.is_none(), "a trusted proxy without its header");
        assert_eq!(before.elapsed().as_secs(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trusted_proxy_says_whose_connection_it_is() {
        let proxies = [proxy().ip()];
        for piece in [1, 7, 100] {
            let bytes = [&HEADER, GET].concat();
            let opened = opened(&bytes.chunks(piece).collect::<Vec<_>>(), &proxies).await.0.unwrap();
            assert_eq!(opened.remote, SocketAddr::from(([203, 0, 113, 7], 4711)));
            assert_eq!(opened.speaks, Speaks::Http(HttpVersion::One));
        }
        let mut of_its_own = HEADER.to_vec();
        of_its_own[12] = 0x20;
        assert_eq!(opened(&[&of_its_own, GET], &proxies).await.0.unwrap().remote, proxy());
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_never_ends_is_not_kept() {
        let mut endless = HEADER.to_vec();
        endless[14] = 0xff;
        endless.resize(2 * MAX_OPENING_BYTES, 0);
        let (mut client, server) = duplex(1 << 16);
        client.write_all(&endless).await.unwrap();
        let before = Instant::now();
        assert!(open(server, proxy(), &[proxy().ip()]).await.is_none());
        assert_eq!(before.elapsed().as_secs(), 0);
    }
}
