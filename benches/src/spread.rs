//! What rounds gave: their middle, and how far apart they lay.

use std::fmt::{self, Display, Formatter};

#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    /// Between a tenth of the rounds and nine tenths.
    pub tenth: f64,
    pub ninth_tenth: f64,
}

impl Spread {
    /// At least one round.
    #[must_use]
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |tenths: usize| rounds[(rounds.len() - 1) * tenths / 10];
        Self {
            median: at(5),
            least: at(0),
            most: at(10),
            tenth: at(1),
            ninth_tenth: at(9),
        }
    }
}

/// To as many decimals as the formatter is told, or none.
impl Display for Spread {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let decimals = formatter.precision().unwrap_or_default();
        let Self {
            median,
            least,
            most,
            ..
        } = self;
        write!(
            formatter,
            "{median:.decimals$} ({least:.decimals$} to {most:.decimals$})"
        )
    }
}
