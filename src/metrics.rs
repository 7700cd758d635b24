//! stub
/// Figures.
#[derive(Default)]
pub struct Metrics;
