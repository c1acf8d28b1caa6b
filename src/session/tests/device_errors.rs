//! Errors that a device reports after a call: the request that used the device fails, and nothing is lost.

use super::*;
use crate::session::protocol::RunEvent;
use crate::session::{DeviceErrors, LocalFuture};
use std::future::ready;

/// A device that reports an error at the next check after [`FailingDevice::fail`].
#[derive(Default)]
struct FailingDevice(Cell<bool>);

impl FailingDevice {
    fn fail(&self) {
        self.0.set(true);
    }
}

impl DeviceErrors for FailingDevice {
    fn check(&self) -> LocalFuture<'_, Result<()>> {
        Box::pin(ready(match self.0.take() {
            true => Err(Error::Device("a shader is invalid".into())),
            false => Ok(()),
        }))
    }
}

fn with_failing_device() -> (Visit, Rc<FailingDevice>) {
    let mut visit = Visit::ready();
    let device = Rc::new(FailingDevice::default());
    visit.session.compute.errors = device.clone();
    (visit, device)
}

#[test]
fn a_request_whose_result_may_be_stale_fails_and_can_be_repeated() {
    let (mut visit, device) = with_failing_device();
    visit.start(json!({})).unwrap();
    visit.run(4, false).unwrap();
    let (state, predicted) = (visit.session.state(), visit.predict());
    for request in [
        json!({"type": "predict", "text": "good"}),
        json!({"type": "evaluate"}),
        json!({"type": "compare"}),
    ] {
        device.fail();
        assert_eq!(refusal(visit.ask(request.clone())).0, "device", "{request}");
        assert_eq!(visit.session.state(), state);
        assert!(visit.ask(request).is_ok());
    }
    device.fail();
    assert_eq!(refusal(visit.export()).0, "device");
    assert!(visit.export().is_ok());
    device.fail();
    assert_eq!(refusal(visit.load_tiny()).0, "device");
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
}

#[test]
fn a_failed_self_test_keeps_the_result_of_the_one_before() {
    let (mut visit, device) = with_failing_device();
    device.fail();
    assert_eq!(refusal(block_on(visit.session.self_test())).0, "device");
    assert!(visit.session.check_self_test().is_ok());
}

#[test]
fn an_error_in_the_first_step_leaves_the_model_trained_before() {
    let (mut visit, device) = with_failing_device();
    visit.start(json!({})).unwrap();
    visit.run(4, false).unwrap();
    let (trained, predicted) = (visit.session.state().trained, visit.predict());
    visit.start(json!({"seed": 7})).unwrap();
    device.fail();
    assert_eq!(refusal(visit.run(1, false)).0, "device");
    assert_eq!(visit.session.state().trained, trained);
    assert_eq!(visit.predict(), predicted);
}

#[test]
fn an_error_in_a_later_step_is_reported_in_that_step_without_its_loss() {
    let (mut visit, device) = with_failing_device();
    visit.start(json!({})).unwrap();
    let first = block_on(visit.session.step_run()).unwrap();
    assert!(matches!(first, RunEvent::Step { step: 1, .. }));
    device.fail();
    assert_eq!(refusal(block_on(visit.session.step_run())).0, "device");
    let run = visit.session.run.as_ref().unwrap();
    let logged = json!(run.history.trainer_state())["log_history"].clone();
    assert_eq!(logged.as_array().map(Vec::len), Some(1), "{logged}");
    assert!(visit.export().is_ok());
    let next = block_on(visit.session.step_run()).unwrap();
    assert!(matches!(next, RunEvent::Finished));
}
