//! Several tabs that load and delete models at the same time on one disk, in many orders, and crash.

use super::super::testing::{FakeFile, Schedule, every_order, seeded, sha256};
use super::super::{Disk, OpenFile, Pin, Repo, Store, forget_model};
use super::*;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Orders that are tried.
const SEEDS: u64 = 4000;
/// The first two have the same weights.
const REPOS: [&str; 3] = ["tests/a", "tests/b", "tests/c"];
const CONFIG: &str = "config.json";

/// What a tab does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    Load(usize),
    Forget(usize),
}

/// What happens before the tabs run, in the tabs, and what a crash ends.
#[derive(Debug)]
struct Scenario {
    stored: Vec<usize>,
    tabs: Vec<Vec<Action>>,
    /// The tab that crashes, and at which of its operations.
    crash: Option<(usize, u64)>,
}

impl Scenario {
    /// At most one model is deleted, so that the others can be lost by mistake only.
    fn seeded(seed: u64) -> Self {
        let mut random = seeded(!seed);
        let mut below = move |n: u64| random() % n;
        let forgotten = below(REPOS.len() as u64) as usize;
        let stored = (0..REPOS.len()).filter(|_| below(2) == 0).collect();
        let mut action = || match below(3) {
            0 => Action::Forget(forgotten),
            _ => Action::Load(below(REPOS.len() as u64) as usize),
        };
        let mut tabs = vec![vec![action(), action()], vec![action()]];
        if action() == Action::Forget(forgotten) {
            tabs.push(vec![action()]);
        }
        let crashes = action() == Action::Forget(forgotten);
        let mut random = seeded(seed);
        let crash = (random() % tabs.len() as u64, 1 + random() % 200);
        Self {
            stored,
            tabs,
            crash: crashes.then_some((crash.0 as usize, crash.1)),
        }
    }

    fn forgets(&self, model: usize) -> bool {
        self.tabs
            .iter()
            .flatten()
            .any(|action| *action == Action::Forget(model))
    }
}

/// Configuration and weights of a model.
fn files(model: usize) -> (String, Vec<u8>) {
    (
        format!("{{\"model\": {model}}}"),
        bytes((model / 2) as u8, 24),
    )
}

fn offered() -> Fakes {
    let fakes = Fakes::default();
    for (model, repo) in REPOS.iter().enumerate() {
        let (config, weights) = files(model);
        let files: [(&str, &[u8]); 2] = [(CONFIG, config.as_bytes()), (WEIGHTS, &weights)];
        fakes.network.offer_repo(repo, &files);
    }
    fakes
}

/// Builds a model as the page does.
async fn load(fakes: &Fakes, model: usize) -> Result<(String, Vec<u8>)> {
    let mut source = FakeSource::hub(ENDPOINT, REPOS[model], fakes.services(), |_| true)
        .await?
        .0;
    let read = async |source: &mut FakeSource| {
        let config = source.open(CONFIG).await?.text().await?;
        Ok((config, read(source, WEIGHTS).await?))
    };
    source.build(read).await
}

async fn forget(fakes: &Fakes, model: usize) {
    forget_model(Some(fakes.disk.clone()), &key(model))
        .await
        .unwrap();
}

fn key(model: usize) -> String {
    Pin::key_of(ENDPOINT, &Repo::parse(REPOS[model]).unwrap())
}

type Complete = Rc<RefCell<BTreeSet<usize>>>;

/// A tab that does one thing after the other, and notes the models that it has stored.
async fn tab(fakes: Fakes, actions: Vec<Action>, complete: Complete, problems: Problems) {
    for action in actions {
        match action {
            Action::Forget(model) => forget(&fakes, model).await,
            Action::Load(model) => match load(&fakes, model).await {
                Ok(found) if found != files(model) => problems.note("other bytes", REPOS[model]),
                Ok(_) if notices(&fakes.take_events()).is_empty() => {
                    complete.borrow_mut().insert(model);
                }
                Ok(_) => {}
                Err(error) => problems.note(&error.to_string(), REPOS[model]),
            },
        }
    }
}

/// What went wrong in a schedule.
#[derive(Clone, Default)]
struct Problems(Rc<RefCell<Vec<String>>>);

impl Problems {
    fn note(&self, problem: &str, of: &str) {
        self.0.borrow_mut().push(format!("{of}: {problem}"));
    }
}

/// Runs a scenario in the order of a schedule, and returns what went wrong.
fn run(scenario: &Scenario, schedule: Schedule) -> Vec<String> {
    let fakes = offered();
    let complete = Complete::default();
    for &model in &scenario.stored {
        block_on(load(&fakes, model)).unwrap();
        complete.borrow_mut().insert(model);
    }
    let problems = Problems::default();
    fakes.set_schedule(Some(schedule.clone()));
    for (at, actions) in scenario.tabs.iter().enumerate() {
        let crashes_at = scenario
            .crash
            .and_then(|(tab, operation)| (tab == at).then_some(operation));
        let tab = tab(
            fakes.another_tab(),
            actions.clone(),
            complete.clone(),
            problems.clone(),
        );
        schedule.add(crashes_at, tab);
    }
    let crashed = schedule.run();
    fakes.set_schedule(None);
    // A model that another tab deletes while it is loaded may fail to load.
    let mut problems = problems.0.take();
    problems.retain(|problem| {
        !(0..REPOS.len()).any(|model| scenario.forgets(model) && problem.starts_with(REPOS[model]))
    });
    let problems = Problems(Rc::new(RefCell::new(problems)));
    check(&fakes, crashed, &problems);
    for (model, repo) in REPOS.iter().enumerate() {
        let is_loaded = scenario
            .tabs
            .iter()
            .flatten()
            .any(|action| *action == Action::Load(model));
        let pins = block_on(Store::new(fakes.disk.clone()).pins());
        if crashed == 0
            && scenario.forgets(model)
            && !is_loaded
            && pins.iter().any(|pin| pin.repo == *repo)
        {
            problems.note("is still there", repo);
        }
    }
    fakes.network.set_offline(true);
    for model in complete.take() {
        if scenario.forgets(model) {
            continue;
        }
        match block_on(load(&fakes, model)) {
            Ok(found) if found == files(model) => {}
            Ok(_) => problems.note("other bytes without a network", REPOS[model]),
            Err(error) => problems.note(&format!("lost, {error}"), REPOS[model]),
        }
    }
    problems.0.take()
}

/// What must hold on the disk whatever the tabs did.
fn check(fakes: &Fakes, crashed: usize, problems: &Problems) {
    let files = fakes.disk.list(Folder::Files);
    let pins = block_on(Store::new(fakes.disk.clone()).pins());
    let names = fakes.disk.list(Folder::Pins);
    if pins.len() != names.len() && crashed == 0 {
        problems.note("not a readable pin", &names.join(", "));
    }
    for pin in pins.iter().filter(|pin| pin.complete) {
        for file in pin.files.iter().filter(|file| file.needed) {
            if !file
                .content
                .as_ref()
                .is_some_and(|content| files.contains(content))
            {
                problems.note(&format!("complete without {}", file.remote.name), &pin.repo);
            }
        }
    }
}

#[test]
fn tabs_that_load_delete_and_crash_lose_no_complete_model() {
    let failed: Vec<_> = (0..SEEDS)
        .filter_map(|seed| {
            let scenario = Scenario::seeded(seed);
            let problems = run(&scenario, Schedule::seeded(seed));
            (!problems.is_empty()).then(|| format!("seed {seed}: {problems:?} in {scenario:?}"))
        })
        .collect();
    let shown = failed[..failed.len().min(8)].join("\n");
    assert!(
        failed.is_empty(),
        "{} of {SEEDS} orders\n{shown}",
        failed.len()
    );
}

/// A model of which a complete part is stored that has no name yet.
struct Part {
    pin: Pin,
    name: String,
    file: FakeFile,
}

fn part(fakes: &Fakes, model: usize) -> Part {
    let source = block_on(FakeSource::hub(
        ENDPOINT,
        REPOS[model],
        fakes.services(),
        |_| true,
    ));
    let (_, pin) = source.unwrap();
    let name = pin.part_name(WEIGHTS);
    let file = block_on(fakes.disk.open(Folder::Files, &name)).unwrap();
    file.write(&files(model).1, 0).unwrap();
    Part { pin, name, file }
}

/// Gives a part its name, and notes that the model is complete.
async fn keep(fakes: Fakes, model: usize, mut part: Part) {
    let content = sha256(&files(model).1);
    let file = part.pin.file_mut(WEIGHTS);
    (file.content, file.bytes, file.needed) = (Some(content.clone()), 24, true);
    part.pin.complete = true;
    let store = Store::new(fakes.disk.clone());
    let kept = store.keep(part.file, &part.name, (&content, 24), &part.pin);
    kept.await.unwrap();
}

/// Stores the first model while another tab does something, in every order. The model must be complete afterwards.
fn in_every_order(before: impl Fn(&Fakes), other: impl AsyncFn(Fakes, Part) + Clone + 'static) {
    let orders = every_order(10_000, |schedule| {
        let fakes = offered();
        before(&fakes);
        let (first, second) = (part(&fakes, 0), part(&fakes, 1));
        fakes.set_schedule(Some(schedule.clone()));
        schedule.add(None, keep(fakes.clone(), 0, first));
        let (tab, other) = (fakes.clone(), other.clone());
        schedule.add(None, async move { other(tab, second).await });
        assert_eq!(schedule.run(), 0);
        fakes.set_schedule(None);
        let store = Store::new(fakes.disk.clone());
        let mut pins = block_on(store.pins());
        pins.retain(|pin| pin.complete);
        assert!(pins.iter().any(|pin| pin.repo == REPOS[0]));
        for pin in pins {
            assert_eq!(block_on(store.existing(pin.clone())), pin);
        }
    });
    assert!(orders > 100, "only {orders} orders");
}

#[test]
fn every_order_of_storing_a_model_and_removing_files_keeps_the_model() {
    in_every_order(
        |_| {},
        async |fakes: Fakes, _| Store::new(fakes.disk).sweep().await,
    );
}

#[test]
fn every_order_of_storing_a_model_and_deleting_one_with_the_same_weights_keeps_the_first() {
    let stored = |fakes: &Fakes| {
        block_on(load(fakes, 1)).unwrap();
    };
    in_every_order(stored, async |fakes: Fakes, _| {
        Store::new(fakes.disk).forget(&key(1)).await;
    });
}

#[test]
fn every_order_of_storing_two_models_with_the_same_weights_keeps_both() {
    in_every_order(
        |_| {},
        async |fakes: Fakes, part| keep(fakes, 1, part).await,
    );
}
