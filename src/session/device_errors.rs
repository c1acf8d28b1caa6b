//! Errors of a device that no operation returns.
//!
//! WebGPU validates shaders and commands after the calls that submit them. A shader that fails validation leaves stale
//! data in its outputs, and the call has returned long before ([cubecl#1641]). A session therefore asks its device for
//! errors before it uses a result.
//!
//! [cubecl#1641]: https://github.com/tracel-ai/cubecl/issues/1641

use crate::Result;
use std::future::{Future, ready};
use std::pin::Pin;

/// A future on one thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The errors of a device.
pub trait DeviceErrors {
    /// Waits until the device has validated everything that was submitted to it. It does not wait for the results.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) with the first error since the last call.
    fn check(&self) -> LocalFuture<'_, Result<()>>;
}

/// The errors of a device whose operations return them all, such as the CPU.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeviceErrors;

impl DeviceErrors for NoDeviceErrors {
    fn check(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}
