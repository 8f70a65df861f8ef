//! One measured quantity, its runs and its target.

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Target {
    /// How many times better than the target `value` is; below 1 it is missed.
    #[must_use]
    pub fn ratio(self, value: f64) -> f64 {
        match self {
            Self::AtMost(bound) => bound / value,
            Self::AtLeast(bound) => value / bound,
        }
    }
}

/// A quantity, measured once or more often.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// One value per run.
    pub values: Vec<f64>,
    /// The unit.
    pub unit: &'static str,
    /// What it should be, if the design says.
    pub target: Option<Target>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), values: vec![value], unit, target: None }
    }

    pub(crate) fn with(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    /// The middle of all runs; of an even number the lower of the two.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// Least and most.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        (least, self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }
}

/// Adds the values of one more run.
pub(crate) fn merge(all: &mut Vec<Figure>, run: Vec<Figure>) {
    for figure in run {
        match all.iter_mut().find(|known| known.name == figure.name) {
            Some(known) => known.values.extend(figure.values),
            None => all.push(figure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_figure_come_together_and_the_median_counts() {
        let mut all = Vec::new();
        for value in [9.0, 1.0, 3.0] {
            merge(&mut all, vec![Figure::new("a", value, "ms"), Figure::new("b", 1.0, "ms")]);
        }
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].median(), all[0].range()), (3.0, (1.0, 9.0)));
    }

    #[test]
    fn a_ratio_below_one_is_a_miss_in_either_direction() {
        assert_eq!(Target::AtMost(2.0).ratio(4.0), 0.5);
        assert_eq!(Target::AtLeast(600.0).ratio(1200.0), 2.0);
    }
}
