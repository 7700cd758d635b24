//! What a packet of the load carries, so that each can be checked whole: the run and the flow it belongs to, its number, the time it was
//! sent, a checksum of these, and a body that follows from them.

/// Bytes of a mark: run, flow, number, time, checksum.
pub(super) const MARK_BYTES: usize = 32;
/// Random bytes that bodies are cut from: many times the longest body, and less than a first-level cache.
const BODY_BYTES: usize = 16 << 10;

/// Which packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) flow: u32,
    /// Its number in the flow.
    pub(super) seq: u64,
    /// Nanoseconds since 1970.
    pub(super) sent_ns: u64,
}

/// Writes and checks the packets of one run.
pub(super) struct Marker {
    run: u32,
    bodies: Box<[u8]>,
}

impl Marker {
    /// Packets of runs with different seeds are foreign to each other.
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = mixed(state, 0x9e37_79b9_7f4a_7c15);
            state
        };
        let run = next() as u32;
        Self { run, bodies: (0..BODY_BYTES).map(|_| (next() >> 32) as u8).collect() }
    }

    /// Fills a payload of at least [`MARK_BYTES`].
    pub(super) fn write(&self, payload: &mut [u8], mark: Mark) {
        let (head, body) = payload.split_at_mut(MARK_BYTES);
        head[..4].copy_from_slice(&self.run.to_be_bytes());
        head[4..8].copy_from_slice(&mark.flow.to_be_bytes());
        head[8..16].copy_from_slice(&mark.seq.to_be_bytes());
        head[16..24].copy_from_slice(&mark.sent_ns.to_be_bytes());
        head[24..].copy_from_slice(&self.checksum(mark).to_be_bytes());
        body.copy_from_slice(self.body(mark, body.len()));
    }

    /// Reads a payload of that many bytes; `None` unless every byte of it is as it was written in this run.
    pub(super) fn read(&self, payload: &[u8], expected_bytes: usize) -> Option<Mark> {
        let (head, body) = payload.split_at_checked(MARK_BYTES).filter(|_| payload.len() == expected_bytes)?;
        let word = |at: usize| Some(u64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let flow = word(0)?;
        let mark = Mark { flow: flow as u32, seq: word(8)?, sent_ns: word(16)? };
        let is_whole = (flow >> 32) as u32 == self.run && word(24)? == self.checksum(mark) && body == self.body(mark, body.len());
        is_whole.then_some(mark)
    }

    fn checksum(&self, mark: Mark) -> u64 {
        [u64::from(self.run) << 32 | u64::from(mark.flow), mark.seq, mark.sent_ns].into_iter().fold(0x51ed, mixed)
    }

    /// Neighbours in a flow, and the same number of two flows, have different bodies.
    fn body(&self, mark: Mark, len: usize) -> &[u8] {
        let places = BODY_BYTES - super::MAX_PAYLOAD_BYTES;
        let start = (mark.seq.wrapping_mul(97).wrapping_add(u64::from(mark.flow) * 31) % places as u64) as usize;
        &self.bodies[start..start + len.min(super::MAX_PAYLOAD_BYTES)]
    }
}

/// A step of a hash that spreads every bit (the finaliser of SplitMix64).
fn mixed(state: u64, word: u64) -> u64 {
    let mut z = state.wrapping_add(word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { flow: 7, seq: 1 << 40, sent_ns: 1_700_000_000_000_000_000 };

    #[test]
    fn a_packet_is_read_as_it_was_written_and_with_any_byte_changed_it_is_not() {
        let marker = Marker::new(1);
        for len in [MARK_BYTES, 172, super::super::MAX_PAYLOAD_BYTES] {
            let mut payload = vec![0; len];
            marker.write(&mut payload, MARK);
            assert_eq!(marker.read(&payload, len), Some(MARK));
            for at in 0..len {
                payload[at] ^= 1;
                assert_eq!(marker.read(&payload, len), None, "byte {at} of {len}");
                payload[at] ^= 1;
            }
            assert_eq!(marker.read(&payload[..len - 1], len), None, "cut");
            assert_eq!(marker.read(&[&payload[..], &[0]].concat(), len), None, "padded");
        }
    }

    #[test]
    fn a_packet_of_another_run_is_foreign() {
        let mut payload = [0; 172];
        Marker::new(1).write(&mut payload, MARK);
        assert_eq!(Marker::new(2).read(&payload, 172), None);
    }

    #[test]
    fn bodies_differ_from_packet_to_packet_and_from_flow_to_flow() {
        let marker = Marker::new(3);
        let body = |flow, seq| marker.body(Mark { flow, seq, sent_ns: 0 }, 100).to_vec();
        assert_ne!(body(0, 1), body(0, 2));
        assert_ne!(body(0, 1), body(1, 1));
    }
}
