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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A record of epoch 0 with one part of a message.
    fn part(sequence: u16, length: usize, offset: usize, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0];
        out.extend((HANDSHAKE_HEADER_BYTES as u16 + bytes.len() as u16).to_be_bytes());
        out.push(1);
        out.extend(&(length as u32).to_be_bytes()[1..]);
        out.extend(sequence.to_be_bytes());
        out.extend(&(offset as u32).to_be_bytes()[1..]);
        out.extend(&(bytes.len() as u32).to_be_bytes()[1..]);
        out.extend(bytes);
        out
    }

    fn insert(inbox: &mut Inbox, datagram: &[u8]) -> Vec<Placed> {
        records(datagram).flat_map(|record| fragments(record.body)).map(|fragment| inbox.insert(fragment)).collect()
    }

    fn taken(inbox: &mut Inbox) -> Vec<(u16, Vec<u8>)> {
        std::iter::from_fn(|| inbox.take()).map(|message| (message.sequence, message.body)).collect()
    }

    #[test]
    fn messages_come_out_once_and_in_order_whatever_order_they_come_in() {
        let mut inbox = Inbox::default();
        insert(&mut inbox, &part(1, 2, 0, b"bb"));
        insert(&mut inbox, &part(0, 4, 2, b"aa"));
        assert_eq!(taken(&mut inbox), []);
        insert(&mut inbox, &part(0, 4, 0, b"AA"));
        assert_eq!(taken(&mut inbox), [(0, b"AAaa".to_vec()), (1, b"bb".to_vec())]);
        assert_eq!(insert(&mut inbox, &part(0, 4, 0, b"AA")), [Placed::Repeated(0)]);
        assert_eq!(taken(&mut inbox), []);
    }

    #[test]
    fn a_message_without_a_body_is_whole() {
        let mut inbox = Inbox::default();
        insert(&mut inbox, &part(0, 0, 0, b""));
        assert_eq!(taken(&mut inbox), [(0, Vec::new())]);
    }

    #[test]
    fn several_records_and_several_messages_in_a_record_are_all_read() {
        let mut two = part(0, 1, 0, b"a");
        let second = part(1, 1, 0, b"b");
        two.extend(&second[RECORD_HEADER_BYTES..]);
        let len = (two.len() - RECORD_HEADER_BYTES) as u16;
        two[11..13].copy_from_slice(&len.to_be_bytes());
        two.extend(part(2, 1, 0, b"c"));
        let mut inbox = Inbox::default();
        insert(&mut inbox, &two);
        assert_eq!(taken(&mut inbox).len(), 3);
    }

    #[test]
    fn what_contradicts_itself_or_is_too_large_is_dropped() {
        let mut inbox = Inbox::default();
        assert_eq!(insert(&mut inbox, &part(0, 4, 3, b"aa")), [], "beyond its own end");
        assert_eq!(insert(&mut inbox, &part(0, MAX_MESSAGE_BYTES + 1, 0, b"aa")), [], "longer than any message");
        assert_eq!(insert(&mut inbox, &part(0, 4, 0, b"aa")), [Placed::Kept]);
        assert_eq!(insert(&mut inbox, &part(0, 5, 2, b"aa")), [Placed::Dropped], "another length");
        assert_eq!(insert(&mut inbox, &part(MAX_AHEAD as u16, 1, 0, b"a")), [Placed::Dropped], "too far ahead");
    }

    #[test]
    fn the_bytes_kept_are_bounded() {
        let mut inbox = Inbox::default();
        let mut kept = 0;
        for sequence in 0..MAX_AHEAD as u16 {
            // One byte at the far end: it costs the whole message.
            kept += usize::from(
                insert(&mut inbox, &part(sequence, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES - 1, b"a")) == [Placed::Kept],
            );
        }
        assert_eq!(kept, MAX_BUFFERED_BYTES / MAX_MESSAGE_BYTES);
        let scattered =
            (0..200).filter(|at| insert(&mut Inbox::default(), &part(0, 1_000, at * 2, b"a")) == [Placed::Kept]).count();
        assert_eq!(scattered, 200);
        let mut inbox = Inbox::default();
        let scattered = (0..200).filter(|at| insert(&mut inbox, &part(0, 1_000, at * 2, b"a")) == [Placed::Kept]).count();
        assert_eq!(scattered, MAX_FRAGMENTS);
    }

    #[test]
    fn a_whole_message_is_written_as_one_record_that_reads_as_itself() {
        let message = Message { kind: 1, sequence: 7, body: b"hello".to_vec() };
        let mut bytes = Vec::new();
        message.write_record(0x0102_0304_0506, &mut bytes);
        assert_eq!(bytes[5..11], [1, 2, 3, 4, 5, 6]);
        let record = records(&bytes).next().unwrap();
        assert_eq!((record.content, record.epoch, record.bytes.len()), (ContentType::Handshake, 0, bytes.len()));
        let fragment = fragments(record.body).next().unwrap();
        assert_eq!((fragment.kind, fragment.sequence, fragment.length, fragment.bytes), (1, 7, 5, &b"hello"[..]));
    }

    proptest! {
        #[test]
        fn a_message_cut_into_overlapping_parts_in_any_order_is_the_same_message(
            body in proptest::collection::vec(any::<u8>(), 1..300),
            cuts in proptest::collection::vec((0usize..300, 1usize..80), 0..12),
        ) {
            let mut parts: Vec<Vec<u8>> = cuts
                .into_iter()
                .filter(|(at, _)| *at < body.len())
                .map(|(at, len)| part(0, body.len(), at, &body[at..(at + len).min(body.len())]))
                .collect();
            parts.extend(body.chunks(37).enumerate().map(|(number, chunk)| part(0, body.len(), number * 37, chunk)));
            let mut inbox = Inbox::default();
            let mut out = Vec::new();
            // The last ones may be dropped while there are too many gaps; the second time around there are none.
            for datagram in parts.iter().rev().chain(&parts) {
                insert(&mut inbox, datagram);
                out.extend(taken(&mut inbox));
            }
            prop_assert_eq!(out, [(0, body)]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut inbox = Inbox::default();
            insert(&mut inbox, &bytes);
            for fragment in fragments(&bytes) {
                inbox.insert(fragment);
            }
            taken(&mut inbox);
        }
    }
}
