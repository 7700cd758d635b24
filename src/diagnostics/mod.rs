//! What `/diagnostics` needs of the server: test calls that belong to nobody's room, and the reports of what browsers found out.
//!
//! A test call is a room of the media core alone: `calls` never hears of it, so nobody is told of its participants and what the media
//! core says of them goes to nobody. It belongs to the user who began it, is bounded in every respect, and ends by itself. A report
//! holds results and figures, never an address of a person. HTTP calls this; it knows neither HTTP nor the signalling protocol.

mod bounds;
mod print;
mod report;
mod test_calls;

pub use bounds::{Label, Percent, Reason, UpTo};
pub use print::print_reports;
pub use report::{Figures, KEPT_FOR, KEPT_REPORTS, Outcome, Port, Report, Step, StepName, Steps, Verdict, file, sweep};
pub use test_calls::{Entered, Started, TestCalls, end, enter, start};
