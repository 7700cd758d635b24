//! One allocation's packets in one direction: which are under way, which came, which did not.

/// Packets behind the newest one that are still told from their doubles. More than may be under way, so that a packet is too late to be
/// judged only when it was given up long before.
const REMEMBERED: u64 = 128;

/// What a packet is to its flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It came for the first time; so many packets are no longer under way.
    New { settled: u64 },
    /// It was here before, was given up long ago, or was never sent.
    Wrong,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// The number of the next packet.
    next: u64,
    /// What is below has arrived, or will not be waited for.
    settled: u64,
    /// Which of the [`REMEMBERED`] packets below `settled` arrived; the newest is bit 0.
    arrived: u128,
    received: u64,
    /// `next` at the last look for packets that do not come.
    next_at_look: u64,
}

impl Flow {
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn sent(&mut self, packets: u64) {
        self.next += packets;
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Packets that may still come.
    pub(super) fn under_way(&self) -> u64 {
        self.next - self.settled
    }

    /// Packets that were overtaken or given up, and have not come.
    pub(super) fn missing(&self) -> u64 {
        self.settled - self.received
    }

    pub(super) fn receive(&mut self, seq: u64) -> Arrival {
        if seq >= self.next {
            return Arrival::Wrong;
        }
        let settled = (seq + 1).saturating_sub(self.settled);
        self.settle(settled);
        let behind = self.settled - 1 - seq;
        let bit = if behind < REMEMBERED { 1_u128 << behind } else { 0 };
        if bit == 0 || self.arrived & bit != 0 {
            return Arrival::Wrong;
        }
        self.arrived |= bit;
        self.received += 1;
        Arrival::New { settled }
    }

    /// To be called from time to time: no longer waits for what was under way at the call before and is so still. How many.
    pub(super) fn give_up(&mut self) -> u64 {
        let packets = self.next_at_look.saturating_sub(self.settled);
        self.settle(packets);
        self.next_at_look = self.next;
        packets
    }

    fn settle(&mut self, packets: u64) {
        self.settled += packets;
        self.arrived = u32::try_from(packets).ok().and_then(|shift| self.arrived.checked_shl(shift)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(sent: u64) -> Flow {
        let mut flow = Flow::default();
        flow.sent(sent);
        flow
    }

    #[test]
    fn each_packet_counts_once_in_whatever_order_they_come() {
        let mut flow = flow(4);
        for (seq, arrival) in [
            (0, Arrival::New { settled: 1 }),
            (0, Arrival::Wrong),
            (3, Arrival::New { settled: 3 }),
            (1, Arrival::New { settled: 0 }),
            (1, Arrival::Wrong),
            (4, Arrival::Wrong),
        ] {
            assert_eq!(flow.receive(seq), arrival, "packet {seq}");
        }
        assert_eq!((flow.received(), flow.missing(), flow.under_way()), (3, 1, 0), "the third never came");
    }

    #[test]
    fn what_stays_under_way_from_one_look_to_the_next_is_given_up_and_counts_when_it_comes_after_all() {
        let mut flow = flow(3);
        assert_eq!(flow.give_up(), 0, "only now it is known to be under way");
        flow.receive(0);
        flow.sent(2);
        assert_eq!(flow.give_up(), 2, "the fourth and the fifth were sent since");
        assert_eq!((flow.missing(), flow.under_way()), (2, 2));
        assert_eq!(flow.receive(2), Arrival::New { settled: 0 });
        assert_eq!((flow.missing(), flow.received()), (1, 2));
    }

    #[test]
    fn a_packet_too_old_to_be_told_from_its_double_does_not_count() {
        let mut flow = flow(REMEMBERED + 1);
        flow.receive(REMEMBERED);
        assert_eq!(flow.receive(0), Arrival::Wrong);
        assert_eq!(flow.receive(1), Arrival::New { settled: 0 });
    }
}
