//! When the state of a run is saved.

/// The most of a run's time that saving may take.
const MAX_SHARE: f64 = 0.03;

/// Decides when the state of a run is saved: `interval_ms` after the last time, but less often where saving would take
/// more than 3 % of the time.
#[derive(Debug)]
pub(in crate::session) struct Keeping {
    /// The run's slot.
    pub id: usize,
    interval_ms: f64,
    last_ms: f64,
    cost_ms: f64,
    /// Updates of the last state.
    step: usize,
}

impl Keeping {
    /// That of a run which starts at `now_ms`, after `step` updates.
    pub(super) fn new(id: usize, interval_ms: f64, now_ms: f64, step: usize) -> Self {
        Self {
            id,
            interval_ms,
            last_ms: now_ms,
            cost_ms: 0.0,
            step,
        }
    }

    /// Whether the state after `step` updates is to be saved.
    pub(super) fn is_due(&self, now_ms: f64, step: usize) -> bool {
        step > self.step && now_ms - self.last_ms >= self.interval_ms.max(self.cost_ms / MAX_SHARE)
    }

    /// Takes note of an attempt to save the state after `step` updates.
    pub(super) fn tried(&mut self, started_ms: f64, now_ms: f64, step: usize) {
        self.step = step;
        (self.last_ms, self.cost_ms) = (now_ms, now_ms - started_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_takes_at_most_three_percent_of_the_time() {
        let mut keeping = Keeping::new(0, 1000.0, 0.0, 0);
        assert!(!keeping.is_due(999.0, 1) && keeping.is_due(1000.0, 1));
        keeping.tried(1000.0, 1300.0, 1);
        // 300 ms are 3 % of 10 s.
        assert!(!keeping.is_due(11_299.0, 2) && keeping.is_due(11_301.0, 2));
        keeping.tried(11_301.0, 11_302.0, 2);
        assert!(!keeping.is_due(12_301.0, 3) && keeping.is_due(12_302.0, 3));
        assert!(!keeping.is_due(20_000.0, 2));
    }
}
