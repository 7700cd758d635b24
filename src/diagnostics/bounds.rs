//! The bounded values that a report is made of. Each is checked as it is read, so that whoever holds one need not look again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole number of at most `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct UpTo<const MAX: u32>(u32);

/// A part of a whole, in thousandths.
pub type Percent = UpTo<1_000>;

impl<const MAX: u32> UpTo<MAX> {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MAX: u32> TryFrom<u32> for UpTo<MAX> {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number <= MAX { Ok(Self(number)) } else { Err(format!("a number is larger than {MAX}")) }
    }
}

impl<const MAX: u32> From<UpTo<MAX>> for u32 {
    fn from(number: UpTo<MAX>) -> Self {
        number.0
    }
}

/// A browser's name and version as a page writes them: 1 to 60 of letters, digits and ` ._-/()`. Safe to print in a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    const MAX_BYTES: usize = 60;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-/()".contains(&byte);
        let is_label = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_label { Ok(Self(text)) } else { Err("a browser's name is 1 to 60 letters, digits and ` ._-/()`") }
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

/// Why a step failed, as the page's code for it: 1 to 40 of `[a-z0-9_]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    const MAX_BYTES: usize = 40;
}

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_reason = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_reason { Ok(Self(text)) } else { Err("a reason is 1 to 40 of `[a-z0-9_]`") }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_above_its_bound_is_none() {
        assert_eq!(serde_json::from_str::<UpTo<5>>("5").unwrap().get(), 5);
        for text in ["6", "-1", "1.5", "null", "\"1\"", "4294967296"] {
            assert!(serde_json::from_str::<UpTo<5>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_that_could_move_a_terminal_or_hold_an_address_of_ipv6_is_no_label() {
        assert_eq!(Label::try_from("Firefox 140.0 (X11)".to_owned()).unwrap().as_str(), "Firefox 140.0 (X11)");
        for text in ["", "\u{1b}[2J", "a\nb", "fd77::1", "Яндекс", &"x".repeat(61)] {
            assert!(Label::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_reason_is_a_code_and_no_sentence() {
        assert_eq!(Reason::try_from("no_path".to_owned()).unwrap().to_string(), "no_path");
        for text in ["", "No path", "192.0.2.1", &"x".repeat(41)] {
            assert!(Reason::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
