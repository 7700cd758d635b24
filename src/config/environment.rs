//! Looking up environment variables: an empty one counts as missing, because compose files pass `NAME=` for what is not set.

use super::ConfigError;

/// The environment, or a test's stand-in for it.
pub(super) struct Variables<'a> {
    look_up: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(look_up: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { look_up }
    }

    /// The variable's text, without white space around it.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = (self.look_up)(name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The variable's value, read by `parse`, which says what is wrong.
    pub(super) fn parse<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse(&text).map(Some).map_err(|problem| ConfigError::Variable { name, problem })
    }
}

/// The items of a list separated by commas; empty ones are left out.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
