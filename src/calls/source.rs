//! What a participant sends: for each of the four sources whether it is offered, switched off, or forbidden by a moderator.
//! Pure. A source keeps its switches while it is not offered, so that nobody gets round a moderator by a new offer.

use webcall_media::Source;

use super::event::SourceView;

/// A set of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SourceSet(u8);

impl SourceSet {
    pub(super) fn contains(self, source: Source) -> bool {
        self.0 & bit(source) != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn with(self, source: Source) -> Self {
        Self(self.0 | bit(source))
    }

    fn without(self, source: Source) -> Self {
        Self(self.0 & !bit(source))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Source> {
        Source::ALL.into_iter().filter(move |source| self.contains(*source))
    }
}

impl FromIterator<Source> for SourceSet {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        sources.into_iter().fold(Self::default(), Self::with)
    }
}

fn bit(source: Source) -> u8 {
    match source {
        Source::Microphone => 1,
        Source::Camera => 2,
        Source::Screen => 4,
        Source::ScreenAudio => 8,
    }
}

/// All sources of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sources {
    offered: SourceSet,
    muted: SourceSet,
    forbidden: SourceSet,
}

/// A participant switches on what a moderator forbade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StillForbidden;

impl Sources {
    /// At joining: nothing is offered yet. What is forbidden is switched off as well.
    pub(super) fn new(muted: SourceSet, forbidden: SourceSet) -> Self {
        Self { offered: SourceSet::default(), muted: SourceSet(muted.0 | forbidden.0), forbidden }
    }

    /// Replaces what is offered. Returns whether anything changed.
    pub(super) fn offer(&mut self, offered: SourceSet) -> bool {
        std::mem::replace(&mut self.offered, offered) != offered
    }

    /// The participant switches a source off.
    pub(super) fn mute(&mut self, source: Source) -> bool {
        let before = *self;
        self.muted = self.muted.with(source);
        *self != before
    }

    /// The participant switches a source on.
    pub(super) fn unmute(&mut self, source: Source) -> Result<bool, StillForbidden> {
        if self.forbidden.contains(source) {
            return Err(StillForbidden);
        }
        let before = *self;
        self.muted = self.muted.without(source);
        Ok(*self != before)
    }

    /// A moderator switches a source off until it is allowed again.
    pub(super) fn forbid(&mut self, source: Source) -> bool {
        let before = *self;
        self.muted = self.muted.with(source);
        self.forbidden = self.forbidden.with(source);
        *self != before
    }

    /// A moderator allows a source. It stays off: only the participant switches it on.
    pub(super) fn allow(&mut self, source: Source) -> bool {
        let before = *self;
        self.forbidden = self.forbidden.without(source);
        *self != before
    }

    pub(super) fn forbidden(&self) -> SourceSet {
        self.forbidden
    }

    pub(super) fn muted(&self) -> SourceSet {
        self.muted
    }

    /// The offered sources as others see them.
    pub(super) fn view(&self) -> Vec<SourceView> {
        let view = |source| SourceView { source, muted: self.muted.contains(source), forbidden: self.forbidden.contains(source) };
        self.offered.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Source::{Camera, Microphone, Screen};

    fn set(sources: &[Source]) -> SourceSet {
        sources.iter().copied().collect()
    }

    #[test]
    fn only_offered_sources_are_shown_and_with_their_switches() {
        let mut sources = Sources::new(set(&[Camera]), SourceSet::default());
        assert_eq!(sources.view(), vec![]);
        assert!(sources.offer(set(&[Microphone, Camera])));
        assert!(!sources.offer(set(&[Microphone, Camera])));
        let on = SourceView { source: Microphone, muted: false, forbidden: false };
        let off = SourceView { source: Camera, muted: true, forbidden: false };
        assert_eq!(sources.view(), vec![on, off]);
    }

    #[test]
    fn what_a_moderator_forbade_cannot_be_switched_on_until_allowed_and_then_only_by_the_participant() {
        let mut sources = Sources::new(SourceSet::default(), SourceSet::default());
        assert!(sources.forbid(Microphone));
        assert_eq!(sources.unmute(Microphone), Err(StillForbidden));
        assert!(sources.allow(Microphone));
        assert!(sources.muted().contains(Microphone));
        assert_eq!(sources.unmute(Microphone), Ok(true));
        assert!(!sources.muted().contains(Microphone));
    }

    #[test]
    fn a_new_offer_does_not_lift_what_a_moderator_forbade() {
        let mut sources = Sources::new(SourceSet::default(), SourceSet::default());
        sources.forbid(Screen);
        sources.offer(SourceSet::default());
        sources.offer(set(&[Screen]));
        assert_eq!(sources.view(), vec![SourceView { source: Screen, muted: true, forbidden: true }]);
    }

    #[test]
    fn repeating_a_switch_changes_nothing() {
        let mut sources = Sources::new(SourceSet::default(), SourceSet::default());
        assert!(sources.mute(Camera) && !sources.mute(Camera));
        assert!(sources.forbid(Camera) && !sources.forbid(Camera));
        assert!(sources.allow(Camera) && !sources.allow(Camera));
        assert_eq!(sources.unmute(Camera), Ok(true));
        assert_eq!(sources.unmute(Camera), Ok(false));
    }
}
