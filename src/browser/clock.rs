//! The worker's clock and its queue of tasks.

use super::environment::worker;
use crate::hub::Clock;
use js_sys::Promise;
use wasm_bindgen::{JsValue, UnwrapThrowExt};
use web_sys::MessageChannel;

/// `performance.now()`.
#[derive(Clone, Copy)]
pub(super) struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> f64 {
        worker().performance().unwrap_throw().now()
    }

    /// Posts a message and waits for it, because a nested timer would wait 4 ms.
    async fn next_task(&self) {
        let Ok(channel) = MessageChannel::new() else {
            return;
        };
        let arrived = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
        });
        if channel.port2().post_message(&JsValue::NULL).is_ok() {
            // A promise that is only resolved does not fail.
            let _ = arrived.await;
        }
        channel.port1().close();
    }

    async fn sleep(&self, milliseconds: f64) {
        let over = Promise::new(&mut |resolve, _| {
            let _ = worker().set_timeout_with_callback_and_timeout_and_arguments_0(
                &resolve,
                milliseconds as i32,
            );
        });
        // A promise that is only resolved does not fail.
        let _ = over.await;
    }
}
