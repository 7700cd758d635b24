//! What a check found, as a value: made by the checks, printed by `report.rs`, compared by the tests.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing, or could not be seen.
    Note,
    /// Works now, and may not later or not for everybody.
    Warning,
    /// Keeps calls from working.
    Fault,
}

/// What one check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: &'static str,
    /// How bad it is.
    pub(super) severity: Severity,
    /// Its stable name; `ok` when there is nothing to say.
    pub(super) code: &'static str,
    /// What was seen.
    pub(super) found: String,
    /// What that leads to.
    pub(super) means: String,
    /// What to do.
    pub(super) todo: String,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::of(Severity::Ok, check, "ok", found)
    }

    pub(super) fn note(check: &'static str, code: &'static str, found: impl Into<String>) -> Self {
        Self::of(Severity::Note, check, code, found)
    }

    pub(super) fn warning(check: &'static str, code: &'static str, found: impl Into<String>) -> Self {
        Self::of(Severity::Warning, check, code, found)
    }

    pub(super) fn fault(check: &'static str, code: &'static str, found: impl Into<String>) -> Self {
        Self::of(Severity::Fault, check, code, found)
    }

    pub(super) fn means(self, means: impl Into<String>) -> Self {
        Self { means: means.into(), ..self }
    }

    pub(super) fn todo(self, todo: impl Into<String>) -> Self {
        Self { todo: todo.into(), ..self }
    }

    fn of(severity: Severity, check: &'static str, code: &'static str, found: impl Into<String>) -> Self {
        Self { check, severity, code, found: found.into(), means: String::new(), todo: String::new() }
    }
}
