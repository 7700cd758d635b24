//! One WebSocket: reads, checks and passes on what comes in, writes what the connection sends, pings, and knows when the other side is
//! gone. It holds no state of the call: that lives on in the connection's task when the socket breaks (`driver.rs`).
//!
//! A client that closes with 1000 or 1001 has closed or left the page and is out of the call at once; whatever else ends a socket
//! leaves the connection resumable.

use std::ops::ControlFlow;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};

use super::context::Context;
use super::driver::{Attached, Inbound};
use super::greeting::{Greeting, greet};
use super::open::{open, resume};
use super::outgoing::{CloseCode, Outgoing};
use super::protocol::ClientFrame;
use super::rate::{Allowance, Verdict};
use super::refusal::Refusal;
use super::registry::SocketPermit;
use super::replay::{Frame, encode};
use super::timing::Timing;
use super::wire;
use crate::accounts::Principal;

/// Unreadable messages in a row before the socket is closed.
const MAX_MALFORMED: u32 = 3;
/// After so many messages the client is asked out of turn whether it has them, since they are kept for it until then.
const MAX_UNCONFIRMED: usize = 32;
/// But not more often than this: the answers count as messages of the client.
const MIN_PING_INTERVAL: Duration = Duration::from_secs(1);
/// Errors before `hello` belong to no connection and have this number.
const NO_SEQ: u64 = 0;

/// Serves a socket until it is closed.
pub(super) async fn serve(socket: WebSocket, context: Context, principal: Principal, _permit: SocketPermit) {
    let timing = context.timing;
    let (sink, stream) = socket.split();
    let mut reader = Reader::new(stream, timing);
    let mut writer = Writer { sink, timing };
    let close = match timeout(timing.hello_limit, hello(&mut reader, &mut writer, &context, &principal)).await {
        Ok(Ok(attached)) => converse(&mut reader, &mut writer, attached).await,
        Ok(Err(end)) => end.close_code(),
        Err(_) => Some(CloseCode::HELLO_TIMEOUT),
    };
    if let Some(code) = close {
        say_goodbye(&mut writer, &mut reader, code).await;
    }
}

/// Waits for `hello` and finds or makes the connection.
async fn hello(reader: &mut Reader, writer: &mut Writer, context: &Context, principal: &Principal) -> Result<Attached, ReadEnd> {
    loop {
        let (id, refusal) = match reader.next().await? {
            Read::Confirmed(_) => continue,
            Read::Refused { id, refusal } => (id, refusal),
            Read::Frame(frame) => match (frame.id, greet(frame)) {
                (id, Err(refusal)) => (id, refusal),
                (id, Ok(Greeting::Fresh { .. })) => match open(context, principal, id) {
                    Ok(attached) => return Ok(attached),
                    Err(refusal) => (id, refusal),
                },
                (id, Ok(Greeting::Resume { secret, last_seq, .. })) => {
                    match resume(context, principal, id, secret, last_seq).await {
                        Ok(attached) => return Ok(attached),
                        Err(refusal) => (id, refusal),
                    }
                }
            },
        };
        writer.write(Message::Text(encode(NO_SEQ, refusal.answer(id)).text)).await.map_err(|Gone| ReadEnd::Broken)?;
    }
}

/// Reads and writes at the same time until either ends. Returns the reason to give to the other side, if it is still there.
async fn converse(reader: &mut Reader, writer: &mut Writer, attached: Attached) -> Option<CloseCode> {
    let Attached { number, inbox, outgoing, backlog } = attached;
    let reading = async {
        loop {
            let inbound = match reader.next().await {
                Ok(Read::Frame(frame)) => Inbound::Frame(Box::new(frame)),
                Ok(Read::Refused { id, refusal }) => Inbound::Refused { id, refusal },
                Ok(Read::Confirmed(seq)) => Inbound::Confirmed(seq),
                Err(end) => {
                    if end.is_for_good() {
                        let _ = inbox.send((number, Inbound::Finished)).await; // unless the connection ended before
                    }
                    return end.close_code();
                }
            };
            if inbox.send((number, inbound)).await.is_err() {
                std::future::pending::<()>().await; // the connection ended; the writer knows why
            }
        }
    };
    tokio::select! {
        close = reading => close,
        close = writer.write_all(backlog, outgoing) => close.ok(),
    }
}

/// Sends the reason for closing and waits a little for the answer: whoever closes the TCP connection with bytes unread resets it, and
/// the reason would be lost on the way.
async fn say_goodbye(writer: &mut Writer, reader: &mut Reader, code: CloseCode) {
    let deadline = Instant::now() + writer.timing.close_limit;
    let frame = CloseFrame { code: code.0, reason: Utf8Bytes::default() };
    if let Ok(Ok(())) = timeout_at(deadline, writer.sink.send(Message::Close(Some(frame)))).await {
        let rest = async { while let Some(Ok(_)) = reader.stream.next().await {} };
        let _ = timeout_at(deadline, rest).await;
    }
}

/// The writing half.
struct Writer {
    sink: SplitSink<WebSocket, Message>,
    timing: Timing,
}

/// The other side is gone or takes nothing.
struct Gone;

impl Writer {
    /// Writes the backlog, then what the connection sends, with pings in between, until the connection closes.
    ///
    /// A ping carries the number of the last message before it, which comes back with the answer (RFC 6455 §5.5.3): the client has all
    /// up to that one.
    async fn write_all(&mut self, backlog: Vec<Frame>, mut outgoing: Outgoing) -> Result<CloseCode, Gone> {
        let (mut last_seq, mut unconfirmed) = (NO_SEQ, backlog.len());
        for frame in backlog {
            last_seq = frame.seq;
            self.write(Message::Text(frame.text)).await?;
        }
        let mut asked = Instant::now();
        let period = self.timing.ping_interval;
        let mut pings = interval_at(Instant::now() + period, period);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_tick = tokio::select! {
                frame = outgoing.next() => match frame {
                    Ok(frame) => {
                        (last_seq, unconfirmed) = (frame.seq, unconfirmed + 1);
                        self.write(Message::Text(frame.text)).await?;
                        false
                    }
                    Err(code) => return Ok(code),
                },
                _ = pings.tick() => true,
            };
            if is_tick || unconfirmed >= MAX_UNCONFIRMED && asked.elapsed() >= MIN_PING_INTERVAL {
                (unconfirmed, asked) = (0, Instant::now());
                self.write(Message::Ping(Bytes::copy_from_slice(&last_seq.to_be_bytes()))).await?;
            }
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(self.timing.write_limit, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// The number in the answer to one of our pings. What else a pong may carry says nothing.
fn confirmation(message: &Message) -> Option<Result<Read, ReadEnd>> {
    let Message::Pong(payload) = message else { return None };
    let number = <[u8; 8]>::try_from(payload.as_ref()).ok()?;
    Some(Ok(Read::Confirmed(u64::from_be_bytes(number))))
}

/// The reading half with its limits.
struct Reader {
    stream: SplitStream<WebSocket>,
    timing: Timing,
    allowance: Allowance,
    malformed_in_a_row: u32,
}

/// Something that was read.
enum Read {
    Frame(ClientFrame),
    Refused {
        id: u32,
        refusal: Refusal,
    },
    /// Everything up to this message has arrived.
    Confirmed(u64),
}

/// Why nothing more will be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadEnd {
    /// The client closed with 1000 or 1001: the page is gone.
    Finished,
    /// The socket ended in any other way.
    Broken,
    /// Nothing came for too long.
    Silent,
    /// A message was too large, or the framing broken.
    TooBig,
    /// The client was thrown out.
    Expelled(CloseCode),
}

impl ReadEnd {
    fn close_code(self) -> Option<CloseCode> {
        match self {
            Self::Finished | Self::Broken => None,
            Self::Silent => Some(CloseCode::GOING_AWAY),
            Self::TooBig => Some(CloseCode::TOO_BIG),
            Self::Expelled(code) => Some(code),
        }
    }

    /// Whether there is nothing to resume.
    fn is_for_good(self) -> bool {
        match self {
            Self::Finished | Self::Expelled(_) => true,
            Self::Broken | Self::Silent | Self::TooBig => false,
        }
    }
}

impl Reader {
    fn new(stream: SplitStream<WebSocket>, timing: Timing) -> Self {
        Self { stream, timing, allowance: Allowance::new(std::time::Instant::now()), malformed_in_a_row: 0 }
    }

    /// The next message. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Read, ReadEnd> {
        loop {
            let message = match timeout(self.timing.silence_limit, self.stream.next()).await {
                Err(_) => return Err(ReadEnd::Silent),
                Ok(None) => return Err(ReadEnd::Broken),
                // An error of the network ends here as well; then nobody hears the reason.
                Ok(Some(Err(_))) => return Err(ReadEnd::TooBig),
                Ok(Some(Ok(message))) => message,
            };
            match self.message(message) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(read) => return read,
            }
        }
    }

    fn message(&mut self, message: Message) -> ControlFlow<Result<Read, ReadEnd>> {
        let now = std::time::Instant::now();
        match message {
            Message::Text(text) => ControlFlow::Break(match self.allowance.spend(text.len(), now) {
                Verdict::Pass => self.text(&text),
                Verdict::Refuse => Ok(Read::Refused { id: wire::request_id(&text), refusal: Refusal::TooManyMessages }),
                Verdict::Expel => Err(ReadEnd::Expelled(CloseCode::TOO_MANY)),
            }),
            Message::Binary(bytes) => ControlFlow::Break(match self.allowance.spend(bytes.len(), now) {
                Verdict::Pass => self.malformed(0, Refusal::Binary),
                Verdict::Refuse => Ok(Read::Refused { id: 0, refusal: Refusal::TooManyMessages }),
                Verdict::Expel => Err(ReadEnd::Expelled(CloseCode::TOO_MANY)),
            }),
            // Pings are answered by the library; only a flood of either matters, and the number that comes back with a pong.
            Message::Ping(_) | Message::Pong(_) => match self.allowance.spend(0, now) {
                Verdict::Pass | Verdict::Refuse => confirmation(&message).map_or(ControlFlow::Continue(()), ControlFlow::Break),
                Verdict::Expel => ControlFlow::Break(Err(ReadEnd::Expelled(CloseCode::TOO_MANY))),
            },
            Message::Close(frame) => ControlFlow::Break(Err(match frame.map(|frame| frame.code) {
                Some(1000 | 1001) => ReadEnd::Finished,
                _ => ReadEnd::Broken,
            })),
        }
    }

    fn text(&mut self, text: &str) -> Result<Read, ReadEnd> {
        match wire::client_frame(text) {
            Ok(frame) => {
                self.malformed_in_a_row = 0;
                Ok(Read::Frame(frame))
            }
            Err((id, refusal)) => self.malformed(id, refusal),
        }
    }

    fn malformed(&mut self, id: u32, refusal: Refusal) -> Result<Read, ReadEnd> {
        self.malformed_in_a_row += 1;
        if self.malformed_in_a_row >= MAX_MALFORMED {
            return Err(ReadEnd::Expelled(CloseCode::MALFORMED));
        }
        Ok(Read::Refused { id, refusal })
    }
}
