//! The work itself, free of Python: it can be tested, measured and reused as plain Rust.

use std::error::Error;
use std::fmt;

/// Why a statistic cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsError {
    /// There are fewer values than the statistic needs.
    TooFewValues { needed: u64, got: u64 },
}

impl fmt::Display for StatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewValues { needed, got } => {
                write!(f, "needs at least {needed} value(s), got {got}")
            }
        }
    }
}

impl Error for StatsError {}

/// The arithmetic mean.
///
/// # Errors
///
/// [`StatsError::TooFewValues`] for an empty slice.
pub fn mean(values: &[f64]) -> Result<f64, StatsError> {
    if values.is_empty() {
        return Err(StatsError::TooFewValues { needed: 1, got: 0 });
    }
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean and variance of values that arrive one by one (Welford's method, 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunningStats {
    count: u64,
    mean: f64,
    squares: f64,
}

impl RunningStats {
    /// Takes one value in.
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// How many values came in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean so far.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFewValues`] before the first value.
    pub fn mean(&self) -> Result<f64, StatsError> {
        self.at_least(1)?;
        Ok(self.mean)
    }

    /// The sample variance so far.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFewValues`] before the second value.
    pub fn variance(&self) -> Result<f64, StatsError> {
        self.at_least(2)?;
        Ok(self.squares / (self.count - 1) as f64)
    }

    fn at_least(&self, needed: u64) -> Result<(), StatsError> {
        if self.count < needed {
            return Err(StatsError::TooFewValues {
                needed,
                got: self.count,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_stats_agree_with_a_second_pass() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let mut stats = RunningStats::default();
        for value in values {
            stats.push(value);
        }
        let average = mean(&values).expect("there are values");
        let squares: f64 = values.iter().map(|v| (v - average).powi(2)).sum();
        assert_eq!(stats.count(), 8);
        assert!((stats.mean().expect("there are values") - average).abs() < 1e-12);
        assert!((stats.variance().expect("two or more") - squares / 7.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_values_are_an_error() {
        let mut stats = RunningStats::default();
        assert_eq!(
            mean(&[]),
            Err(StatsError::TooFewValues { needed: 1, got: 0 })
        );
        assert!(stats.mean().is_err());
        stats.push(1.0);
        assert_eq!(
            stats.variance(),
            Err(StatsError::TooFewValues { needed: 2, got: 1 })
        );
    }
}
