//! A reaction in a call: one emoji, checked by what Unicode says of its characters (UTS #51), so that nobody writes to the call with it.

use std::sync::Arc;

use unicode_properties::UnicodeEmoji;

/// The longest: a family of four with skin tones has 41 bytes in all, but few systems draw it; a flag with tags has 28.
pub const MAX_EMOJI_BYTES: usize = 32;

/// A checked emoji. Cheap to clone: everybody in a call gets one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emoji(Arc<str>);

impl Emoji {
    /// Nothing for what is no emoji, or too long.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() <= MAX_EMOJI_BYTES && text.chars().all(UnicodeEmoji::is_emoji_char_or_emoji_component);
        // Digits count as emoji because of the keycaps that they make with U+20E3.
        let shows = text.chars().any(|c| c == '\u{20e3}' || !c.is_ascii() && c.is_emoji_char());
        (fits && shows).then(|| Self(text.into()))
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_and_nothing_else_is() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        let scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for good in ["👍", "❤️", "👍🏽", "🇩🇪", "1️⃣", family, scotland] {
            assert_eq!(Emoji::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a", "7", "123", " ", "👍 ", "👍\n", "\u{0}", "\u{200d}", "\u{fe0f}", "\u{202e}👍", "ж", "\u{10ffff}"]
        {
            assert_eq!(Emoji::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Emoji::parse(&"👍".repeat(9)), None);
    }
}
