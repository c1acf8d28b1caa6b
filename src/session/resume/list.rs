//! What the page shows of interrupted runs.

use super::RunState;
use super::record;
use super::state_file::StateFile;
use super::store::RunStore;
use crate::hub::{Blob, Disk};
use crate::session::protocol::{InterruptedRun, InterruptedSummary};

/// What the page shows of an interrupted run.
pub(super) async fn interrupted<D: Disk>(store: &RunStore<D>, id: usize) -> InterruptedRun {
    let (summary, problem) = match record::read_summary(store, id).await {
        Ok((summary, ..)) => (Some(summary), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut step_and_bytes = (0, 0);
    for (_, name) in store.states(id).await {
        if let Some(found) = step_of(store, &name).await {
            step_and_bytes = found;
            break;
        }
    }
    let (step, bytes) = step_and_bytes;
    let summary = summary.map(|summary| InterruptedSummary {
        model: summary.model,
        locator: summary.locator,
        dataset: summary.dataset,
        source: summary.source,
        num_rows: summary.num_rows,
        step,
        max_steps: summary.max_steps,
        device: summary.device,
        bytes,
    });
    InterruptedRun {
        id,
        summary,
        problem,
    }
}

/// The updates and the bytes of a state.
async fn step_of<D: Disk>(store: &RunStore<D>, name: &str) -> Option<(usize, u64)> {
    let blob = store.blob(name).await?;
    let bytes = blob.size();
    let state = StateFile::read_state(blob).await.ok()?;
    let state: RunState = serde_json::from_str(&state).ok()?;
    Some((state.progress.global_step, bytes))
}
