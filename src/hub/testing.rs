//! An environment for tests: a network that fails where a test says so, a disk with a quota, and a clock.

mod disk;
mod network;
mod schedule;

use super::{Clock, Environment, LoadEvent, Services};
pub(crate) use disk::{FakeBlob, FakeDisk, FakeFile};
pub(crate) use network::{COMMIT, ENDPOINT, FakeNetwork, Trouble, sha256};
pub(crate) use schedule::{Schedule, every_order, seeded};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Network, disk and clock of a test.
pub(crate) struct FakeEnvironment;

impl Environment for FakeEnvironment {
    type Fetch = FakeNetwork;
    type Disk = FakeDisk;
    type Clock = FakeClock;
}

/// A clock that a test moves.
#[derive(Clone, Default)]
pub(crate) struct FakeClock(Rc<ClockState>);

#[derive(Default)]
struct ClockState {
    now: Cell<f64>,
    tasks: Cell<usize>,
    on_task: RefCell<Option<TaskListener>>,
}

/// Is called with the number of the task.
type TaskListener = Box<dyn Fn(usize)>;

impl FakeClock {
    /// Moves the clock forward.
    pub(crate) fn advance(&self, milliseconds: f64) {
        self.0.now.set(self.0.now.get() + milliseconds);
    }

    /// Has `on_task` called in each later task, counted from 1, as if a message arrived there.
    pub(crate) fn on_task(&self, on_task: impl Fn(usize) + 'static) {
        self.0.tasks.set(0);
        self.0.on_task.replace(Some(Box::new(on_task)));
    }
}

impl Clock for FakeClock {
    fn now(&self) -> f64 {
        self.0.now.get()
    }

    async fn next_task(&self) {
        self.0.tasks.set(self.0.tasks.get() + 1);
        if let Some(on_task) = &*self.0.on_task.borrow() {
            on_task(self.0.tasks.get());
        }
    }

    async fn sleep(&self, milliseconds: f64) {
        self.advance(milliseconds);
    }
}

/// Everything that a test looks at afterwards. Each call of [`services`](Self::services) is a further request of the
/// same visitor.
#[derive(Clone, Default)]
pub(crate) struct Fakes {
    pub network: FakeNetwork,
    pub disk: FakeDisk,
    pub clock: FakeClock,
    events: Rc<RefCell<Vec<LoadEvent>>>,
}

impl Fakes {
    /// The services of a request.
    pub(crate) fn services(&self) -> Services<FakeEnvironment> {
        self.services_stopped_at(|_| false)
    }

    /// The services of a request that the visitor stops at the first event that `stops` accepts.
    pub(crate) fn services_stopped_at(
        &self,
        stops: impl Fn(&LoadEvent) -> bool + 'static,
    ) -> Services<FakeEnvironment> {
        self.network.set_stopped(false);
        let fakes = self.clone();
        Services {
            fetch: self.network.clone(),
            disk: Some(self.disk.clone()),
            clock: self.clock.clone(),
            on_event: Rc::new(move |event| {
                if stops(&event) {
                    fakes.network.set_stopped(true);
                }
                fakes.events.borrow_mut().push(event);
            }),
        }
    }

    /// Another tab of the same visitor: the same network and disk, with events of its own.
    pub(crate) fn another_tab(&self) -> Self {
        Self {
            network: self.network.clone(),
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            events: Rc::default(),
        }
    }

    /// Has a schedule choose which tab uses disk and network next, or none.
    pub(crate) fn set_schedule(&self, schedule: Option<Schedule>) {
        self.disk.set_schedule(schedule.clone());
        self.network.set_schedule(schedule);
    }

    /// The events since the last call.
    pub(crate) fn take_events(&self) -> Vec<LoadEvent> {
        self.events.take()
    }
}
