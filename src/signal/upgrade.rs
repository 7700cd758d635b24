//! Lets a WebSocket in (RFC 6455 §4.2): from a page that may use the interface, speaking `webcall.v1`, with a one-time ticket. A refusal
//! is a problem document, since there is no WebSocket yet.
//!
//! The ticket comes as a subprotocol because a browser can send no header of its own with an upgrade; it is good once, so it does not
//! matter that it is sent in clear among the headers of a request.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::response::Response;

use super::context::Context;
use super::protocol::MAX_FRAME_BYTES;
use super::registry::SocketRefusal;
use super::socket::serve;
use crate::accounts;
use crate::error::Error;

/// The subprotocol that is spoken.
const SUBPROTOCOL: &str = "webcall.v1";
/// What the subprotocol begins with that carries the ticket.
const TICKET_PREFIX: &str = "ticket.";
/// Subprotocols looked at; a client offers two.
const MAX_SUBPROTOCOLS: usize = 8;
/// Bytes read at a time, kept for each socket. A larger buffer only costs memory: messages are short, but for offers.
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Unsent bytes in the library's buffer; more means that a write failed. Above the largest frame.
const MAX_WRITE_BUFFER_BYTES: usize = 1 << 20;
/// When a user with too many sockets may try again, seconds.
const RETRY_AFTER_S: u64 = 5;

/// `GET /api/v1/ws`.
pub(super) async fn upgrade(
    State(context): State<Context>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Error> {
    let upgrade = upgrade.map_err(|_| Error::Malformed("this address speaks WebSocket only".to_owned()))?;
    check_origin(&context, &headers)?;
    let principal = accounts::redeem_ticket(&context.app, ticket(&headers)?).await?;
    let permit = context.connections.admit_socket(principal.user).map_err(|refusal| match refusal {
        SocketRefusal::TooMany => Error::RateLimited { retry_after_s: RETRY_AFTER_S },
        SocketRefusal::ServerBusy => Error::Busy,
    })?;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MAX_FRAME_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, context, principal, permit)))
}

/// A page of another origin could otherwise use what the browser knows of this one (RFC 6455 §10.2). Clients that are no browsers say
/// the server's own origin.
fn check_origin(context: &Context, headers: &HeaderMap) -> Result<(), Error> {
    let origin = text(headers, &ORIGIN).ok_or(Error::OriginRefused)?;
    match context.app.config.origins.permits(origin, text(headers, &HOST)) {
        true => Ok(()),
        false => Err(Error::OriginRefused),
    }
}

/// The ticket among the subprotocols, which must include the one that is spoken.
fn ticket(headers: &HeaderMap) -> Result<&str, Error> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    let offered: Vec<_> = lines.flat_map(|line| line.split(',')).map(str::trim).take(MAX_SUBPROTOCOLS).collect();
    if !offered.contains(&SUBPROTOCOL) {
        return Err(Error::Malformed(format!("the subprotocols must include `{SUBPROTOCOL}`")));
    }
    offered.iter().find_map(|offer| offer.strip_prefix(TICKET_PREFIX)).ok_or(Error::TicketInvalid)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(lines: &[&'static str]) -> HeaderMap {
        let line = |text: &&'static str| (SEC_WEBSOCKET_PROTOCOL, text.parse().unwrap());
        lines.iter().map(line).fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    #[test]
    fn the_ticket_is_found_among_the_subprotocols_in_one_line_or_several() {
        for lines in [&["webcall.v1, ticket.abc"][..], &["ticket.abc,webcall.v1"], &["webcall.v1", "x", "ticket.abc"]] {
            assert_eq!(ticket(&offering(lines)).unwrap(), "abc");
        }
    }

    #[test]
    fn without_the_subprotocol_or_a_ticket_nobody_is_let_in() {
        for (lines, code) in [
            (&[][..], "malformed"),
            (&["ticket.abc"], "malformed"),
            (&["webcall.v2, ticket.abc"], "malformed"),
            (&["webcall.v1"], "ticket_invalid"),
            (&["webcall.v1, abc"], "ticket_invalid"),
            (&["webcall.v1, a, b, c, d, e, f, g, ticket.abc"], "ticket_invalid"),
        ] {
            assert_eq!(ticket(&offering(lines)).unwrap_err().code(), code, "{lines:?}");
        }
    }
}
