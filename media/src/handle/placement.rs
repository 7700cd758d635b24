//! Which worker a participant goes to: a pure decision, made once, when they join.
//!
//! A call stays on one worker while that has a fair share of it at most and time to spare: then nothing is handed over. It spreads when
//! it grows or the worker gets busy. A worker that sheds load takes nobody.

/// A worker that works more than this part of its time is spared newcomers while another has less to do, in thousandths. Lower spreads
/// calls that would fit; higher leaves less for what those who are there will do next.
const BUSY_PERMILLE: u64 = 600;
/// Below this a worker is as good as idle, in thousandths: handshakes and the noise of other processes.
const IDLE_PERMILLE: u64 = 300;
/// Differences smaller than this do not count, in thousandths: the figure is about a second old.
const GRAIN_PERMILLE: u64 = 100;

/// What a worker has to do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    /// Part of its time that it works, in thousandths.
    pub(super) busy_permille: u64,
    /// Whether it sheds load.
    pub(super) is_shedding: bool,
    /// Participants of all calls.
    pub(super) participants: usize,
    /// Of them those in the call in question.
    pub(super) of_this_call: usize,
}

/// The worker for one more participant; `None` when all shed load.
pub(super) fn choose(workers: &[Load], share: usize) -> Option<usize> {
    let rank = |load: &Load| {
        let is_stretched = load.of_this_call >= share || load.busy_permille >= BUSY_PERMILLE;
        let busy = load.busy_permille.saturating_sub(IDLE_PERMILLE).div_ceil(GRAIN_PERMILLE);
        (is_stretched, load.of_this_call == 0, busy, load.participants)
    };
    let willing = workers.iter().enumerate().filter(|(_, load)| !load.is_shedding);
    willing.min_by_key(|(_, load)| rank(load)).map(|(worker, _)| worker)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: usize = 32;

    fn load(busy_permille: u64, participants: usize, of_this_call: usize) -> Load {
        Load { busy_permille, is_shedding: false, participants, of_this_call }
    }

    #[test]
    fn a_new_call_goes_to_the_worker_that_has_less_to_do() {
        assert_eq!(choose(&[load(0, 7, 0), load(250, 2, 0)], SHARE), Some(1), "both as good as idle: fewer participants");
        assert_eq!(choose(&[load(450, 0, 0), load(100, 9, 0)], SHARE), Some(1));
    }

    #[test]
    fn a_small_call_stays_together_and_a_large_one_is_shared() {
        assert_eq!(choose(&[load(400, 31, 31), load(0, 0, 0)], SHARE), Some(0));
        assert_eq!(choose(&[load(400, 32, 32), load(0, 0, 0)], SHARE), Some(1));
        assert_eq!(choose(&[load(400, 32, 32), load(200, 5, 5)], SHARE), Some(1));
        assert_eq!(choose(&[load(310, 40, 40), load(390, 39, 39)], SHARE), Some(1), "all have their share: the smallest");
    }

    #[test]
    fn a_call_leaves_a_busy_worker_early_and_comes_back_when_all_are_busy() {
        assert_eq!(choose(&[load(700, 5, 5), load(100, 50, 0)], SHARE), Some(1));
        assert_eq!(choose(&[load(700, 5, 5), load(700, 50, 0)], SHARE), Some(0));
    }

    #[test]
    fn a_worker_that_sheds_load_takes_nobody() {
        let shedding = Load { is_shedding: true, ..load(0, 0, 0) };
        assert_eq!(choose(&[shedding, load(900, 90, 0)], SHARE), Some(1));
        assert_eq!(choose(&[shedding, shedding], SHARE), None);
    }
}
