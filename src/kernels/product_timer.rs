//! The time that matrix products take on a WebGPU device.

use burn_cubecl::cubecl::client::Client;
use burn_cubecl::cubecl::profile::{ProfileDuration, TimingMethod};
use std::cell::RefCell;

thread_local! {
    static CURRENT: RefCell<Option<Vec<ProfileDuration>>> = const { RefCell::new(None) };
}

/// A guard that times every matrix product that this thread dispatches. It makes a submission for each, so that a
/// training step takes longer than without it.
#[derive(Debug)]
pub struct ProductTimer(());

/// What a [`ProductTimer`] has measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductTimes {
    /// Milliseconds of each product, in the order of the dispatches. A product that is computed in parts includes their
    /// sum.
    pub milliseconds: Vec<f64>,
    /// Whether the device took the times (timestamp queries). Otherwise each is the time until the host knew that the
    /// product was computed.
    pub timestamps: bool,
}

impl ProductTimer {
    /// Starts to time products.
    #[allow(clippy::new_without_default, reason = "a guard has no default")]
    pub fn new() -> Self {
        CURRENT.set(Some(Vec::new()));
        Self(())
    }

    /// Waits for the products and returns their times. A product that the device could not time is missing.
    pub async fn finish(self) -> ProductTimes {
        let profiles = CURRENT.take().unwrap_or_default();
        let mut times = ProductTimes {
            milliseconds: Vec::new(),
            timestamps: true,
        };
        for profile in profiles {
            times.timestamps &= profile.timing_method() == TimingMethod::Device;
            if let Some(ticks) = profile.resolve().await {
                times
                    .milliseconds
                    .push(ticks.duration().as_secs_f64() * 1e3);
            }
        }
        times
    }
}

impl Drop for ProductTimer {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Dispatches a product, and times it if there is a [`ProductTimer`].
pub(super) fn timed(client: &Client, dispatch: impl FnOnce() + Send) {
    if CURRENT.with_borrow(Option::is_none) {
        return dispatch();
    }
    // A product that the device refuses to time is missing among the times.
    if let Ok(((), profile)) = client.profile(dispatch, "product") {
        CURRENT.with_borrow_mut(|current| {
            if let Some(profiles) = current {
                profiles.push(profile);
            }
        });
    }
}
