//! DTLS records on their way in: cuts datagrams into records (RFC 6347 §4.1) and puts the fragments of the clear handshake messages
//! together again (§4.2.3), so that the handshake behind it sees whole messages, each once and in order.
//!
//! This stands in front of `rtc-dtls` because that keeps fragments of anybody without a limit worth the name, joins them by recursion,
//! and forgets its timer on a repeated message. Everything here is bounded; what does not fit is dropped, and the other side repeats it.

use std::collections::VecDeque;

/// The largest handshake message. A browser's largest, a ClientHello with a post-quantum key share, has 2 kB.
const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// Disjoint parts of a message that wait for what lies between.
const MAX_FRAGMENTS: usize = 16;
/// Messages that may arrive before an earlier one; a flight has at most five.
const MAX_AHEAD: usize = 8;
/// Bytes kept in all.
const MAX_BUFFERED_BYTES: usize = 32 << 10;
/// Messages in one handshake; a full one with cookie and client certificate has six from the client.
const MAX_MESSAGES: u16 = 32;
const RECORD_HEADER_BYTES: usize = 13;
const HANDSHAKE_HEADER_BYTES: usize = 12;

/// A record's content type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ContentType {
    ChangeCipherSpec,
    Alert,
    Handshake,
    /// Application data, of which DTLS-SRTP has none, and what does not exist.
    Other,
}

/// One record of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) content: ContentType,
    /// 0 while in the clear.
    pub(super) epoch: u16,
    pub(super) body: &'a [u8],
    /// Header and body.
    pub(super) bytes: &'a [u8],
}

/// The records of a datagram, up to the first that is malformed (§4.1.2.7).
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<RECORD_HEADER_BYTES>()?;
        let len = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let is_dtls = header[1] == 0xfe && len > 0;
        let (bytes, after) = rest.split_at_checked(RECORD_HEADER_BYTES + len).filter(|_| is_dtls)?;
        rest = after;
        let content = match header[0] {
            20 => ContentType::ChangeCipherSpec,
            21 => ContentType::Alert,
            22 => ContentType::Handshake,
            _ => ContentType::Other,
        };
        let epoch = u16::from_be_bytes([header[3], header[4]]);
        Some(Record { content, epoch, body: &bytes[RECORD_HEADER_BYTES..], bytes })
    })
}

/// A part of a handshake message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    kind: u8,
    length: usize,
    sequence: u16,
    offset: usize,
    bytes: &'a [u8],
}

/// The fragments in a record's body, up to the first that is malformed.
pub(super) fn fragments(body: &[u8]) -> impl Iterator<Item = Fragment<'_>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<HANDSHAKE_HEADER_BYTES>()?;
        let number = |at: usize| usize::from(header[at]) << 16 | usize::from(header[at + 1]) << 8 | usize::from(header[at + 2]);
        let (length, offset, len) = (number(1), number(6), number(9));
        let fits = offset + len <= length && length <= MAX_MESSAGE_BYTES;
        let (bytes, after) = rest[HANDSHAKE_HEADER_BYTES..].split_at_checked(len).filter(|_| fits)?;
        rest = after;
        Some(Fragment { kind: header[0], length, sequence: u16::from_be_bytes([header[4], header[5]]), offset, bytes })
    })
}

/// A whole handshake message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) sequence: u16,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Appends the message as one record with a record number of ours: the numbers on the wire were the fragments'.
    pub(super) fn write_record(&self, number: u64, out: &mut impl Extend<u8>) {
        let length = &(self.body.len() as u32).to_be_bytes()[1..];
        write_header(ContentType::Handshake, number, HANDSHAKE_HEADER_BYTES + self.body.len(), out);
        out.extend([self.kind]);
        out.extend(length.iter().copied());
        out.extend(self.sequence.to_be_bytes());
        out.extend([0; 3]);
        out.extend(length.iter().copied());
        out.extend(self.body.iter().copied());
    }
}

/// Appends the record in which the other side says that what follows is encrypted.
pub(super) fn write_change_cipher_spec(number: u64, out: &mut impl Extend<u8>) {
    write_header(ContentType::ChangeCipherSpec, number, 1, out);
    out.extend([1]);
}

/// A record header of epoch 0.
fn write_header(content: ContentType, number: u64, len: usize, out: &mut impl Extend<u8>) {
    let kind = if content == ContentType::Handshake { 22 } else { 20 };
    out.extend([kind, 0xfe, 0xfd, 0, 0]);
    out.extend(number.to_be_bytes()[2..].iter().copied());
    out.extend((len as u16).to_be_bytes());
}

/// What became of a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Placed {
    /// Its message was complete before: the other side repeats itself. The number is the message's.
    Repeated(u16),
    Kept,
    Dropped,
}

/// Puts messages together.
#[derive(Default, Debug)]
pub(super) struct Inbox {
    next_sequence: u16,
    /// The messages from `next_sequence` on.
    partial: VecDeque<Partial>,
}

#[derive(Clone, Default, Debug)]
struct Partial {
    kind: u8,
    /// `None` before the first fragment.
    length: Option<usize>,
    body: Vec<u8>,
    /// What of the body is there: disjoint, sorted, not touching.
    present: Vec<(usize, usize)>,
}

impl Inbox {
    /// The number of the first message that was not taken yet.
    pub(super) fn next_sequence(&self) -> u16 {
        self.next_sequence
    }

    pub(super) fn insert(&mut self, fragment: Fragment<'_>) -> Placed {
        let Some(ahead) = fragment.sequence.checked_sub(self.next_sequence).map(usize::from) else {
            return Placed::Repeated(fragment.sequence);
        };
        let buffered: usize = self.partial.iter().map(|partial| partial.body.len()).sum();
        let there = self.partial.get(ahead).map_or(0, |partial| partial.body.len());
        let growth = (fragment.offset + fragment.bytes.len()).saturating_sub(there);
        if ahead >= MAX_AHEAD || fragment.sequence >= MAX_MESSAGES || buffered + growth > MAX_BUFFERED_BYTES {
            return Placed::Dropped;
        }
        if self.partial.len() <= ahead {
            self.partial.resize_with(ahead + 1, Partial::default);
        }
        self.partial[ahead].insert(fragment)
    }

    /// The next message in order, once it is whole.
    pub(super) fn take(&mut self) -> Option<Message> {
        self.partial.front().filter(|partial| partial.is_whole())?;
        let Partial { kind, body, .. } = self.partial.pop_front()?;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        Some(Message { kind, sequence, body })
    }
}

impl Partial {
    fn insert(&mut self, fragment: Fragment<'_>) -> Placed {
        let length = *self.length.get_or_insert(fragment.length);
        if self.present.is_empty() {
            self.kind = fragment.kind;
        }
        if length != fragment.length || self.kind != fragment.kind {
            return Placed::Dropped;
        }
        let (mut start, mut end) = (fragment.offset, fragment.offset + fragment.bytes.len());
        let touches = |part: &(usize, usize)| part.0 <= end && start <= part.1;
        let kept = self.present.iter().filter(|part| !touches(part)).count();
        if kept == MAX_FRAGMENTS {
            return Placed::Dropped;
        }
        if self.body.len() < end {
            self.body.resize(end, 0);
        }
        self.body[start..end].copy_from_slice(fragment.bytes);
        let joined: Vec<_> = self.present.extract_if(.., |part| touches(part)).collect();
        for part in joined {
            start = start.min(part.0);
            end = end.max(part.1);
        }
        let at = self.present.partition_point(|part| part.0 < start);
        self.present.insert(at, (start, end));
        Placed::Kept
    }

    fn is_whole(&self) -> bool {
        self.length.is_some_and(|length| self.present == [(0, length)])
    }
}
