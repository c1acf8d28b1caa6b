//! Runs the futures of several tabs in an order that a test chooses, one operation after the other.
//!
//! An operation of the disk or the network pauses before and after its effect, and another tab may run then.
//! Synchronous operations cannot pause their own tab; they run the others from inside of it instead, because tabs are
//! processes of their own and a write is not one step. A tab can also crash at any operation.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Operations after which a test counts as one that never ends.
const MOST_OPERATIONS: u64 = 100_000;

/// Returns the index of one of the given number of options.
pub(crate) type Choose = Box<dyn FnMut(usize) -> usize>;

/// The panic that ends a tab that crashes.
struct Crash;

struct Tab {
    /// None while it runs and after its end.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    operations: u64,
    crashes_at: Option<u64>,
    /// It does not run before this holds.
    waits_for: Option<Condition>,
}

/// What a tab waits for.
pub(super) type Condition = Rc<dyn Fn() -> bool>;

/// The order of the operations; clones are of the same one.
#[derive(Clone)]
pub(crate) struct Schedule(Rc<State>);

struct State {
    choose: RefCell<Choose>,
    tabs: RefCell<Vec<Tab>>,
    /// The tabs that run, the innermost last.
    running: RefCell<Vec<usize>>,
    operations: Cell<u64>,
    crashed: Cell<usize>,
}

impl Schedule {
    /// A schedule that asks `choose` which tab runs next.
    pub(crate) fn new(choose: impl FnMut(usize) -> usize + 'static) -> Self {
        Self(Rc::new(State {
            choose: RefCell::new(Box::new(choose)),
            tabs: RefCell::default(),
            running: RefCell::default(),
            operations: Cell::new(0),
            crashed: Cell::new(0),
        }))
    }

    /// A schedule that depends on nothing but a seed (xorshift64*).
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut random = seeded(seed);
        Self::new(move |options| (random() % options as u64) as usize)
    }

    /// Adds a tab, which crashes at its operation `crashes_at`.
    pub(crate) fn add(&self, crashes_at: Option<u64>, future: impl Future<Output = ()> + 'static) {
        self.0.tabs.borrow_mut().push(Tab {
            future: Some(Box::pin(future)),
            operations: 0,
            crashes_at,
            waits_for: None,
        });
    }

    /// Runs every tab to its end, and returns how many have crashed.
    pub(crate) fn run(&self) -> usize {
        loop {
            let ready = self.ready();
            if ready.is_empty() {
                let tabs = self.0.tabs.borrow();
                assert!(
                    tabs.iter().all(|tab| tab.future.is_none()),
                    "the tabs wait for each other"
                );
                return self.0.crashed.get();
            }
            let at = self.choose(ready.len());
            self.poll(ready[at]);
        }
    }

    /// Lets the other tabs run. Without a schedule it does nothing.
    pub(super) async fn pause(schedule: Option<Schedule>) {
        let Some(schedule) = schedule else {
            return;
        };
        schedule.count();
        Self::suspend().await;
    }

    /// Lets the other tabs run until `condition` holds. The condition must hold already without a schedule.
    pub(super) async fn wait(schedule: Option<Schedule>, condition: Condition) {
        assert!(schedule.is_some() || condition(), "no other tab runs");
        let Some(schedule) = schedule else {
            return;
        };
        schedule.count();
        let at = *schedule.0.running.borrow().last().unwrap();
        schedule.0.tabs.borrow_mut()[at].waits_for = Some(condition);
        Self::suspend().await;
    }

    async fn suspend() {
        let mut paused = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut paused, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Runs other tabs in the middle of a synchronous operation, as often as the schedule chooses.
    pub(super) fn window(&self) {
        self.count();
        loop {
            let ready = self.ready();
            let at = self.choose(ready.len() + 1);
            match at.checked_sub(1) {
                Some(at) => self.poll(ready[at]),
                None => return,
            }
        }
    }

    fn choose(&self, options: usize) -> usize {
        match options {
            0 | 1 => 0,
            _ => (self.0.choose.borrow_mut())(options),
        }
    }

    /// The tabs that have not ended and do not run.
    fn ready(&self) -> Vec<usize> {
        let tabs = self.0.tabs.borrow();
        let is_ready =
            |tab: &Tab| tab.future.is_some() && tab.waits_for.as_ref().is_none_or(|holds| holds());
        (0..tabs.len()).filter(|&at| is_ready(&tabs[at])).collect()
    }

    fn poll(&self, at: usize) {
        let future = {
            let tab = &mut self.0.tabs.borrow_mut()[at];
            tab.waits_for = None;
            tab.future.take()
        };
        let Some(mut future) = future else {
            return;
        };
        self.0.running.borrow_mut().push(at);
        let mut context = Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        self.0.running.borrow_mut().pop();
        match polled {
            Ok(Poll::Pending) => self.0.tabs.borrow_mut()[at].future = Some(future),
            Ok(Poll::Ready(())) => {}
            Err(crash) if crash.is::<Crash>() => self.0.crashed.update(|crashed| crashed + 1),
            Err(failure) => resume_unwind(failure),
        }
    }

    /// Counts an operation of the tab that runs, and ends the tab if it is to crash there.
    fn count(&self) {
        self.0.operations.update(|operations| operations + 1);
        assert!(
            self.0.operations.get() < MOST_OPERATIONS,
            "the tabs never end"
        );
        let Some(&at) = self.0.running.borrow().last() else {
            return;
        };
        let crashes = {
            let tab = &mut self.0.tabs.borrow_mut()[at];
            tab.operations += 1;
            tab.crashes_at == Some(tab.operations)
        };
        if crashes {
            // Not `panic!`, which prints a message.
            resume_unwind(Box::new(Crash));
        }
    }
}

/// A generator of numbers that depend on nothing but the seed (xorshift64*).
pub(crate) fn seeded(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }
}

/// Runs `run` once for every sequence of choices that a schedule can make, at most `most` times, and returns how often.
pub(crate) fn every_order(most: usize, run: impl Fn(Schedule)) -> usize {
    // For each choice so far: what was chosen, and of how many options.
    let path = Rc::new(RefCell::new(Vec::<(usize, usize)>::new()));
    for runs in 1..=most {
        let (choices, mut at) = (path.clone(), 0);
        run(Schedule::new(move |options| {
            let mut path = choices.borrow_mut();
            if at == path.len() {
                path.push((0, options));
            }
            at += 1;
            path[at - 1].0
        }));
        let mut path = path.borrow_mut();
        while path
            .last()
            .is_some_and(|(chosen, options)| chosen + 1 == *options)
        {
            path.pop();
        }
        match path.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => return runs,
        }
    }
    panic!("more than {most} orders");
}
