//! The name of an account: 3 to 32 of `[A-Za-z0-9_.-]`, unique without regard to case. ASCII only, so that no two names look alike
//! by a letter of another script and none turns the text around it; new names look like no other one ([`Username::skeleton`]).

use std::fmt;

use super::skeleton::skeleton;
use crate::error::Error;

/// A checked name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// The shortest.
    pub const MIN_LEN: usize = 3;
    /// The longest.
    pub const MAX_LEN: usize = 32;

    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fits = (Self::MIN_LEN..=Self::MAX_LEN).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return Ok(Self(text.to_owned()));
        }
        let detail = "a username has 3 to 32 letters a-z, digits, `_`, `.` or `-`";
        Err(Error::Invalid { code: "invalid_username", detail })
    }

    /// A name that was checked before it was stored.
    pub(super) fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lower case, by which it is unique.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What the name looks like: no two names that are taken for one another are given away.
    pub fn skeleton(&self) -> String {
        skeleton(&self.0)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_described_names_are_allowed() {
        for good in ["abc", "A.b-c_9", &"x".repeat(32)] {
            assert_eq!(Username::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "ab", &"x".repeat(33), "with space", "имя", "a\u{0}b", "a/b", " abc"] {
            assert_eq!(Username::parse(bad).unwrap_err().code(), "invalid_username", "{bad:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_fold_to_the_same() {
        assert_eq!(Username::parse("Ann.Lee").unwrap().folded(), Username::parse("ann.LEE").unwrap().folded());
    }
}
