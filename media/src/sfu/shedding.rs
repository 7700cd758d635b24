//! What a worker leaves out when it cannot carry all: a small machine over how busy it is. Pure: the worker measures, rooms obey.
//!
//! One step more for each second at its limit, in the order of what is missed least: upper layers first, then pictures, voices last.
//! One step back after some calm time, which grows when the step back proves wrong.

use std::time::{Duration, Instant};

use crate::api::LeftOut;

/// A worker busier than this is at its limit, in thousandths of its time. Lower sheds what could be carried; at 1000 packets are lost.
const FULL_PERMILLE: u64 = 950;
/// Below this there is room for what was left out last. Higher goes back and forth.
const CALM_PERMILLE: u64 = 600;
/// So long at the limit costs a step: longer than a keyframe for everybody or a burst of joins takes.
const FULL_FOR: Duration = Duration::from_secs(1);
/// So long calm gives a step back, at first and after steps back that proved wrong.
const CALM_FOR: Duration = Duration::from_secs(3);
const MAX_CALM_FOR: Duration = Duration::from_secs(60);

/// How much is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    #[default]
    Nothing,
    /// The top layer of what has several.
    TopLayers,
    /// All but the lowest layer.
    UpperLayers,
    /// Also pictures but of speakers, shared screens and who is pinned.
    Bystanders,
    /// All pictures.
    Pictures,
    /// Also voices but of the loudest three.
    Voices,
}

impl Step {
    const ALL: [Self; 6] = [Self::Nothing, Self::TopLayers, Self::UpperLayers, Self::Bystanders, Self::Pictures, Self::Voices];

    /// How many of a publication's layers may be sent, from the lowest on.
    pub(crate) fn layers(self, count: usize) -> usize {
        match self {
            Self::Nothing => count,
            Self::TopLayers => count.saturating_sub(1).max(1),
            _ => 1,
        }
    }

    /// Whether a picture may be sent.
    pub(crate) fn shows(self, is_prominent: bool) -> bool {
        self < Self::Bystanders || self == Self::Bystanders && is_prominent
    }

    /// Whether voices are sent as if every room were larger than its seats.
    pub(crate) fn limits_voices(self) -> bool {
        self >= Self::Voices
    }

    /// As participants are told.
    pub(crate) fn left_out(self) -> LeftOut {
        match self {
            Self::Nothing => LeftOut::Nothing,
            Self::TopLayers | Self::UpperLayers => LeftOut::Sharpness,
            Self::Bystanders | Self::Pictures => LeftOut::Pictures,
            Self::Voices => LeftOut::Voices,
        }
    }

    fn moved(self, by: isize) -> Self {
        let index = (self as usize).saturating_add_signed(by).min(Self::ALL.len() - 1);
        Self::ALL[index]
    }
}

/// The machine.
#[derive(Default)]
pub(crate) struct Shedding {
    step: Step,
    full_since: Option<Instant>,
    calm_since: Option<Instant>,
    stepped_back: Option<Instant>,
    calm_for: Duration,
}

impl Shedding {
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// Takes the latest figure; whether the step changed.
    pub(crate) fn judge(&mut self, now: Instant, busy_permille: u64) -> bool {
        let since = |mark: Option<Instant>, holds: bool| holds.then(|| mark.unwrap_or(now));
        self.full_since = since(self.full_since, busy_permille >= FULL_PERMILLE);
        self.calm_since = since(self.calm_since, busy_permille < CALM_PERMILLE);
        let lasts = |mark: Option<Instant>, span| mark.is_some_and(|at| now.saturating_duration_since(at) >= span);
        let before = self.step;
        if lasts(self.full_since, FULL_FOR) {
            let was_wrong = self.stepped_back.is_some_and(|at| now.saturating_duration_since(at) < self.calm_for);
            self.calm_for = if was_wrong { (self.calm_for * 2).min(MAX_CALM_FOR) } else { CALM_FOR };
            self.step = self.step.moved(1);
            (self.full_since, self.calm_since) = (Some(now), None);
        } else if self.step > Step::Nothing && lasts(self.calm_since, self.calm_for) {
            self.step = self.step.moved(-1);
            (self.calm_since, self.stepped_back) = (Some(now), Some(now));
        }
        self.step != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a figure for so many seconds, four times a second; the steps that it went through with their seconds.
    fn run(shedding: &mut Shedding, now: &mut Instant, seconds: u64, busy: impl Fn(Step) -> u64) -> Vec<(u64, Step)> {
        let start = *now;
        let mut steps = Vec::new();
        for _ in 0..seconds * 4 {
            *now += Duration::from_millis(250);
            if shedding.judge(*now, busy(shedding.step())) {
                steps.push(((*now - start).as_secs(), shedding.step()));
            }
        }
        steps
    }

    #[test]
    fn load_is_shed_in_the_stated_order_and_no_further_than_the_last_step() {
        let (mut shedding, mut now) = (Shedding::default(), Instant::now());
        let steps: Vec<Step> = run(&mut shedding, &mut now, 20, |_| 1000).into_iter().map(|(_, step)| step).collect();
        assert_eq!(steps, Step::ALL[1..]);
    }

    #[test]
    fn a_short_burst_sheds_nothing_and_a_worker_that_just_fits_goes_on() {
        let (mut shedding, mut now) = (Shedding::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(run(&mut shedding, &mut now, 1, |_| 1000), []);
            assert_eq!(run(&mut shedding, &mut now, 1, |_| 900), []);
        }
        assert_eq!(run(&mut shedding, &mut now, 60, |_| 940), []);
    }

    #[test]
    fn it_stops_where_the_load_fits_and_stays_while_there_is_no_room_for_more() {
        let (mut shedding, mut now) = (Shedding::default(), Instant::now());
        let busy = |step: Step| if step >= Step::UpperLayers { 800 } else { 1000 };
        let steps = run(&mut shedding, &mut now, 120, busy);
        assert_eq!(steps.last().map(|(_, step)| *step), Some(Step::UpperLayers));
        assert_eq!(steps.len(), 2);
    }

    #[test]
    fn it_recovers_step_by_step_once_there_is_room() {
        let (mut shedding, mut now) = (Shedding::default(), Instant::now());
        run(&mut shedding, &mut now, 20, |_| 1000);
        let steps = run(&mut shedding, &mut now, 60, |_| 100);
        assert_eq!(
            steps.iter().map(|(_, step)| *step).collect::<Vec<_>>(),
            Step::ALL[..5].iter().rev().copied().collect::<Vec<_>>()
        );
        assert!(steps.last().is_some_and(|(second, _)| *second <= 20), "{steps:?}");
    }

    #[test]
    fn steps_back_that_prove_wrong_become_rare() {
        let (mut shedding, mut now) = (Shedding::default(), Instant::now());
        // The first step halves the load: it looks as if there were room.
        let steps = run(&mut shedding, &mut now, 300, |step| if step == Step::Nothing { 1000 } else { 500 });
        let tries = steps.iter().filter(|(_, step)| *step == Step::Nothing).count();
        assert!((4..=10).contains(&tries), "{tries} tries in 5 minutes: {steps:?}");
    }

    #[test]
    fn pictures_that_matter_go_last() {
        for (step, layers, prominent, bystander, voices) in [
            (Step::Nothing, 3, true, true, true),
            (Step::TopLayers, 2, true, true, true),
            (Step::UpperLayers, 1, true, true, true),
            (Step::Bystanders, 1, true, false, true),
            (Step::Pictures, 1, false, false, true),
            (Step::Voices, 1, false, false, false),
        ] {
            let is = (step.layers(3), step.shows(true), step.shows(false), !step.limits_voices());
            assert_eq!(is, (layers, prominent, bystander, voices), "{step:?}");
            assert_eq!(step.layers(1), 1, "what has one layer keeps it");
        }
    }
}
