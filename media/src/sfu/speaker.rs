//! Who speaks: levels of voices (RFC 6464) smoothed into the loudest three, and silence kept off the wire.

use std::time::{Duration, Instant};

use crate::handover::Heard;
use crate::id::FeedId;
use crate::rtp::AudioLevel;

/// At most so many speak at once; more voices than that are a noise.
pub(crate) const MAX_SPEAKERS: usize = 3;
/// Level, in dB below full scale, from which on a voice counts without the sender's own voice detection.
const AUDIBLE_BELOW_FULL_DB: f32 = 50.0;
/// Level of digital silence (RFC 6464 §3).
const SILENCE_BELOW_FULL_DB: u8 = 127;
/// Share of the newest 20 ms in the smoothed level. Larger flickers, smaller lags: 0.15 follows a voice in some 120 ms.
const SMOOTHING: f32 = 0.15;
/// A speaker stays one for this long after the last audible word, so that pauses between sentences do not flicker.
const HOLD: Duration = Duration::from_millis(700);
/// A newcomer must be so much louder than the quietest of three to take its place, dB.
const TAKE_OVER_DB: f32 = 6.0;
/// Somebody must be so much louder than the first speaker to become the first, dB: two who speak alike would take turns.
const LEAD_DB: f32 = 3.0;
/// Voices remembered; those beyond are not judged.
const MAX_VOICES: usize = 512;
/// Silent packets still forwarded before silence is kept back: they tell the receiver's jitter buffer that it is quiet.
const SILENT_PACKETS_FORWARDED: u32 = 6;

#[derive(Default)]
pub(crate) struct ActiveSpeakers {
    voices: Vec<Voice>,
    speakers: Vec<FeedId>,
}

struct Voice {
    feed: FeedId,
    below_full_db: f32,
    last_audible: Option<Instant>,
}

impl ActiveSpeakers {
    /// Notes one packet's level.
    pub(crate) fn observe(&mut self, feed: FeedId, level: AudioLevel, now: Instant) {
        let level_db = f32::from(level.below_full_db);
        let Some(voice) = self.voice(feed) else { return };
        voice.below_full_db += SMOOTHING * (level_db - voice.below_full_db);
        if voice.below_full_db < AUDIBLE_BELOW_FULL_DB {
            voice.last_audible = Some(now);
        }
    }

    /// Notes a voice that another worker hears.
    pub(crate) fn hear(&mut self, heard: Heard, now: Instant) {
        let Some(voice) = self.voice(heard.feed) else { return };
        (voice.below_full_db, voice.last_audible) = (heard.below_full_db, Some(now));
    }

    /// The loudest voices now, for the worker that judges.
    pub(crate) fn loudest(&self, now: Instant) -> Vec<Heard> {
        let audible = self.voices.iter().filter(|voice| voice.is_speaking(now));
        let mut heard: Vec<Heard> = audible.map(|v| Heard { feed: v.feed, below_full_db: v.below_full_db }).collect();
        heard.sort_by(|a, b| a.below_full_db.total_cmp(&b.below_full_db));
        heard.truncate(MAX_SPEAKERS);
        heard
    }

    fn voice(&mut self, feed: FeedId) -> Option<&mut Voice> {
        let known = self.voices.iter().position(|voice| voice.feed == feed);
        if known.is_none() && self.voices.len() < MAX_VOICES {
            let silent = f32::from(SILENCE_BELOW_FULL_DB);
            self.voices.push(Voice { feed, below_full_db: silent, last_audible: None });
        }
        let newest = self.voices.len().checked_sub(1).filter(|newest| self.voices[*newest].feed == feed);
        self.voices.get_mut(known.or(newest)?)
    }

    pub(crate) fn remove(&mut self, feed: FeedId) {
        self.voices.retain(|voice| voice.feed != feed);
        self.speakers.retain(|speaker| *speaker != feed);
    }

    /// The speakers now, loudest first.
    pub(crate) fn judge(&mut self, now: Instant) -> &[FeedId] {
        let bonus = |voice: &Voice| match self.speakers.iter().position(|speaker| *speaker == voice.feed) {
            Some(0) => TAKE_OVER_DB + LEAD_DB,
            Some(_) => TAKE_OVER_DB,
            None => 0.0,
        };
        let mut speaking: Vec<(f32, FeedId)> = self
            .voices
            .iter()
            .filter(|voice| voice.is_speaking(now))
            // A voice that stopped sending keeps its last level; its hold runs out soon.
            .map(|voice| (voice.below_full_db - bonus(voice), voice.feed))
            .collect();
        speaking.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        speaking.truncate(MAX_SPEAKERS);
        // Order changes only when the first place does: who is second or third is nobody's business.
        let same_people = speaking.len() == self.speakers.len() && speaking.iter().all(|(_, f)| self.speakers.contains(f));
        if !same_people || speaking.first().map(|(_, feed)| *feed) != self.speakers.first().copied() {
            self.speakers = speaking.into_iter().map(|(_, feed)| feed).collect();
        }
        &self.speakers
    }
}

impl Voice {
    fn is_speaking(&self, now: Instant) -> bool {
        self.last_audible.is_some_and(|at| now.saturating_duration_since(at) < HOLD)
    }
}

/// Keeps silence of one publication off the wire.
#[derive(Default)]
pub(crate) struct SilenceGate {
    silent_packets: u32,
}

impl SilenceGate {
    /// Whether a packet of this level is forwarded.
    pub(crate) fn admit(&mut self, level: AudioLevel) -> bool {
        if level.below_full_db < SILENCE_BELOW_FULL_DB || level.voice {
            self.silent_packets = 0;
            return true;
        }
        self.silent_packets = self.silent_packets.saturating_add(1);
        self.silent_packets <= SILENT_PACKETS_FORWARDED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(below_full_db: u8) -> AudioLevel {
        AudioLevel { voice: below_full_db < 50, below_full_db }
    }

    /// Plays levels of 20 ms packets and judges every 200 ms; the speakers at the end.
    fn judge(voices: &[&dyn Fn(u64) -> u8], until_ms: u64) -> Vec<u32> {
        let start = Instant::now();
        let mut speakers = ActiveSpeakers::default();
        for ms in (0..until_ms).step_by(20) {
            let now = start + Duration::from_millis(ms);
            for (feed, voice) in voices.iter().enumerate() {
                speakers.observe(FeedId(feed as u32 + 1), level(voice(ms)), now);
            }
            if ms % 200 == 0 {
                speakers.judge(now);
            }
        }
        speakers.judge(start + Duration::from_millis(until_ms)).iter().map(|feed| feed.0).collect()
    }

    #[test]
    fn the_loudest_three_speak_and_quiet_ones_do_not() {
        let loud: [&dyn Fn(u64) -> u8; 5] = [&|_| 30, &|_| 20, &|_| 40, &|_| 25, &|_| 90];
        assert_eq!(judge(&loud, 2_000), [2, 4, 1]);
        assert_eq!(judge(&[&|_| 80, &|_| 127], 2_000), [] as [u32; 0]);
    }

    #[test]
    fn a_pause_between_words_does_not_end_a_speech_but_silence_does() {
        let pause = |ms: u64| if ms < 1_000 { 25 } else { 127 };
        assert_eq!(judge(&[&pause], 1_400), [1]);
        assert_eq!(judge(&[&pause], 2_500), [] as [u32; 0]);
    }

    #[test]
    fn one_click_is_no_speech() {
        let click = |ms: u64| if ms == 1_000 { 10 } else { 110 };
        assert_eq!(judge(&[&click], 1_100), [] as [u32; 0]);
    }

    #[test]
    fn a_slightly_louder_newcomer_does_not_push_out_one_of_three() {
        let late = |ms: u64| if ms < 1_000 { 127 } else { 38 };
        assert_eq!(judge(&[&|_| 30, &|_| 30, &|_| 40, &late], 3_000), [1, 2, 3]);
        let louder = |ms: u64| if ms < 1_000 { 127 } else { 20 };
        assert!(judge(&[&|_| 30, &|_| 30, &|_| 40, &louder], 3_000).contains(&4));
    }

    #[test]
    fn of_two_who_speak_alike_the_first_stays_the_first() {
        let second = |ms: u64| if ms < 400 { 127 } else { 30 - (ms / 200 % 2) as u8 };
        assert_eq!(judge(&[&|_| 30, &second], 8_000), [1, 2]);
        let louder = |ms: u64| if ms < 400 { 127 } else { 26 };
        assert_eq!(judge(&[&|_| 30, &louder], 8_000), [2, 1]);
    }

    #[test]
    fn silence_is_forwarded_for_six_packets_and_sound_at_once() {
        let mut gate = SilenceGate::default();
        assert!(gate.admit(level(30)));
        let admitted = (0..50).filter(|_| gate.admit(level(127))).count();
        assert_eq!(admitted, 6);
        assert!(gate.admit(level(126)));
        assert!(gate.admit(AudioLevel { voice: true, below_full_db: 127 }));
    }
}
