//! Names and topics as everybody will see them: one line in one Unicode form, bounded, visible, and without characters that turn the
//! direction of the text around them. Pure.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::error::Error;

/// The longest name of a room, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 100;
/// The same in bytes: what 100 characters of any living script take. A list of 500 rooms repeats it 500 times.
pub(super) const MAX_ROOM_NAME_BYTES: usize = 300;
/// The longest topic, in characters.
pub const MAX_TOPIC_CHARS: usize = 500;
/// The same in bytes.
pub(super) const MAX_TOPIC_BYTES: usize = 1_500;

/// A room's name: 1 to 100 characters after trimming, at least one of them visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// Normalises and checks a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match normalised(text, MAX_ROOM_NAME_CHARS, MAX_ROOM_NAME_BYTES) {
            Some(name) if has_visible(&name) => Ok(Self(name)),
            _ => {
                let detail = "a room's name has 1 to 100 characters, at most 300 bytes, and none that control the text";
                Err(Error::Invalid { code: "invalid_room_name", detail })
            }
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a room is about: at most 500 characters after trimming; empty for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// Normalises and checks a topic.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match normalised(text, MAX_TOPIC_CHARS, MAX_TOPIC_BYTES) {
            Some(topic) if topic.is_empty() || has_visible(&topic) => Ok(Self(topic)),
            _ => {
                let detail = "a topic has at most 500 characters, 1,500 bytes, and none that control the text";
                Err(Error::Invalid { code: "invalid_topic", detail })
            }
        }
    }

    /// The topic.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text in Unicode's composed form (UAX #15, NFC), without spaces around it; nothing when it is too long or controls the text.
fn normalised(text: &str, max_chars: usize, max_bytes: usize) -> Option<String> {
    let text = text.trim();
    // Composing shrinks nothing to less than a third.
    if text.len() > 3 * max_bytes {
        return None;
    }
    let composed: String = text.nfc().collect();
    let fits = composed.len() <= max_bytes && composed.chars().count() <= max_chars;
    (fits && !composed.chars().any(is_controlling)).then_some(composed)
}

/// Control characters, ends of lines and paragraphs, and those that turn the direction of the text around (Unicode UAX #9).
fn is_controlling(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether anything of it shows: a letter, digit, sign or picture. Spaces, marks without a letter and formats do not.
fn has_visible(text: &str) -> bool {
    text.chars().any(|c| match c.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => !is_blank(c),
        GeneralCategoryGroup::Mark | GeneralCategoryGroup::Separator | GeneralCategoryGroup::Other => false,
    })
}

/// Letters and signs by their category whose picture is empty: the fillers of Hangul, the braille pattern without dots.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVISIBLE: [&str; 6] =
        ["\u{200b}", "\u{200d}\u{fe0f}", "\u{3164}\u{2800}", "\u{feff}\u{2060}", "\u{301}", "\u{e0041}\u{ad}"];

    #[test]
    fn a_name_is_trimmed_and_bounded_in_characters_and_bytes() {
        assert_eq!(RoomName::parse("  Wednesday \u{1f3b8} ").unwrap().as_str(), "Wednesday \u{1f3b8}");
        for good in ["ж".repeat(100), "漢".repeat(100), "\u{1f3b8}".repeat(75), "שבת\u{200f} a".to_owned()] {
            assert_eq!(RoomName::parse(&good).unwrap().as_str(), good);
        }
        let too_long = ["ж".repeat(101), "\u{1f3b8}".repeat(76), "a\u{301}".repeat(10_000)];
        for bad in ["", "   ", "a\nb", "a\u{0}b", "a\u{2028}b"].into_iter().chain(too_long.iter().map(String::as_str)) {
            assert_eq!(RoomName::parse(bad).unwrap_err().code(), "invalid_room_name", "{bad:?}");
        }
    }

    #[test]
    fn names_that_look_the_same_by_composition_are_the_same() {
        assert_eq!(RoomName::parse("Cafe\u{301}").unwrap(), RoomName::parse("Caf\u{e9}").unwrap());
        assert_eq!(RoomName::parse("\u{438}\u{306}").unwrap().as_str(), "й");
        assert!(RoomName::parse(&"e\u{301}".repeat(100)).is_ok(), "counted as composed");
    }

    #[test]
    fn nothing_turns_the_direction_of_the_text_around() {
        for turn in ['\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'] {
            assert_eq!(RoomName::parse(&format!("a{turn}b")).unwrap_err().code(), "invalid_room_name");
            assert_eq!(Topic::parse(&format!("a{turn}b")).unwrap_err().code(), "invalid_topic");
        }
    }

    #[test]
    fn what_does_not_show_is_no_name_and_no_topic() {
        for invisible in INVISIBLE {
            assert_eq!(RoomName::parse(invisible).unwrap_err().code(), "invalid_room_name", "{invisible:?}");
            assert_eq!(Topic::parse(invisible).unwrap_err().code(), "invalid_topic", "{invisible:?}");
        }
        for visible in ["?", "\u{1f468}\u{200d}\u{1f469}", "नमस्ते", "7"] {
            assert!(RoomName::parse(visible).is_ok(), "{visible:?}");
        }
    }

    #[test]
    fn a_topic_may_be_empty_and_is_bounded() {
        assert_eq!(Topic::parse("  ").unwrap().as_str(), "");
        assert!(Topic::parse(&"ж".repeat(500)).is_ok());
        for bad in ["ж".repeat(501), "\u{1f3b8}".repeat(376)] {
            assert_eq!(Topic::parse(&bad).unwrap_err().code(), "invalid_topic");
        }
    }
}
