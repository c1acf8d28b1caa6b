//! Whether a run fits into the memory of a device, before it starts.
//!
//! WebGPU does not report free memory. [`MemoryBudget`] therefore allocates buffers on trial, through a
//! [`MemoryProbe`], until the bytes of a run are there or the device is out of memory, and frees them at once.

use super::{MemoryDemand, MemoryPlan, Suggestion, TrainingArguments, memory_suggestions};
use crate::{Error, Result};
use serde::Serialize;
use std::cell::Cell;

/// What makes a run smaller.
const SMALLER_RUN: &str = "Use a smaller per_device_train_batch_size with gradient_accumulation_steps, \
                           gradient_checkpointing, or tuning = lora; the plan under Training lists what fits.";

/// What makes place for another model.
const FEWER_MODELS: &str =
    "Export the trained models that you need, discard them, and load the model again.";

/// Bytes of the smallest first buffer of a trial.
const MIN_FIRST_BUFFER: u64 = 64 << 20;

/// Buffers of a trial that succeeds, unless the limits of the device ask for more.
const BUFFERS: u64 = 16;

/// The smallest buffer of a trial is this part of the first: the resolution of the bytes that a trial finds.
const RESOLUTION: u64 = 16;

/// Bytes of the largest trial while settings are edited. A buffer that the browser grants need not be in the GPU's
/// memory yet, and one that it refuses may have cost other tabs theirs: a plan that is only looked at asks for no more
/// than this. The start of a run asks for all of it, because the run allocates it in any case.
const MAX_HINT: u64 = 1 << 30;

/// While settings are edited, the need is rounded down to a multiple of this many bytes, and each is tried once.
const HINT_STEP: u64 = 64 << 20;

/// Allocates memory of a device on trial.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait MemoryProbe {
    /// Allocated memory.
    type Buffer;

    /// Bytes of the largest buffer that the device allocates.
    fn max_buffer_size(&self) -> u64;

    /// Allocates `bytes`, a multiple of 4; none if the device is out of memory.
    async fn allocate(&self, bytes: u64) -> Option<Self::Buffer>;

    /// Frees a buffer at once, without waiting for a garbage collector.
    fn free(&self, buffer: Self::Buffer);
}

/// How the memory of a device is determined.
#[derive(Debug, Clone)]
pub enum DeviceMemory<P> {
    /// A fixed number of bytes, such as the address space of a CPU.
    Fixed(u64),
    /// Allocation on trial.
    Probe(P),
}

/// Why a run does not fit into the memory of a device. All numbers are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shortage {
    /// The largest tensor exceeds what a kernel can bind (`maxStorageBufferBindingSize` of WebGPU).
    Binding {
        /// Size of the tensor.
        needs: u64,
        /// The limit.
        offered: u64,
    },
    /// All tensors together exceed the memory of the device.
    Memory {
        /// Size of the run.
        needs: u64,
        /// Memory that is available to it.
        offered: u64,
    },
    /// The run fits only without the trained model that is kept beside it.
    Kept {
        /// Size of the run and of that model.
        needs: u64,
        /// Size of that model.
        kept: u64,
        /// Memory that is available to both.
        offered: u64,
    },
}

impl From<Shortage> for Error {
    fn from(shortage: Shortage) -> Self {
        let (what, needs, offered) = match shortage {
            Shortage::Binding { needs, offered } => ("its largest tensor", needs, offered),
            Shortage::Memory { needs, offered } => ("this run", needs, offered),
            Shortage::Kept {
                needs,
                kept,
                offered,
            } => {
                return Error::MemoryKept {
                    needs,
                    kept,
                    offered,
                };
            }
        };
        Error::Memory {
            what,
            needs,
            offered,
            remedy: SMALLER_RUN,
        }
    }
}

/// The memory that a run needs, whether the device has it, and what to change otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemoryReport {
    /// What the run needs.
    #[serde(flatten)]
    pub plan: MemoryPlan,
    /// Rows of the widest batch.
    pub rows: usize,
    /// Columns of the widest batch, in tokens.
    pub tokens: usize,
    /// Why it does not fit; none if it fits or has not been tried.
    pub shortage: Option<Shortage>,
    /// Changes of settings with which the run needs less memory and fits, as far as is known.
    pub suggestions: Vec<Suggestion>,
}

/// What is known about the memory of a device.
#[derive(Debug)]
pub struct MemoryBudget<P> {
    memory: DeviceMemory<P>,
    /// Bytes of the largest tensor that a kernel can bind.
    max_binding: Option<u64>,
    /// Bytes of buffers that are allocated already and that a run reuses.
    in_use: Cell<u64>,
    /// Most bytes, those in use included, that a trial has allocated.
    available: Cell<u64>,
    /// Bytes at which the last trial failed.
    exhausted_at: Cell<Option<u64>>,
}

impl<P: MemoryProbe> MemoryBudget<P> {
    /// The budget of a device on which nothing is allocated. `max_binding` is the number of bytes of the largest tensor
    /// that a kernel can bind, if there is such a limit.
    pub fn new(memory: DeviceMemory<P>, max_binding: Option<u64>) -> Self {
        Self {
            memory,
            max_binding,
            in_use: Cell::new(0),
            available: Cell::new(0),
            exhausted_at: Cell::new(None),
        }
    }

    /// Sets the bytes of the buffers that are allocated and that a run reuses. Results of earlier trials are dropped,
    /// because other programs may have allocated or freed memory since.
    pub fn set_in_use(&self, bytes: u64) {
        self.in_use.set(bytes);
        self.available.set(0);
        self.exhausted_at.set(None);
    }

    /// Sets the bytes that are still allocated after others were freed. Those that were freed stay available.
    pub fn free_down_to(&self, bytes: u64) {
        let before = self.available.get().max(self.in_use.get());
        self.in_use.set(bytes);
        self.available.set(before);
    }

    /// Checks that a run fits. It reserves nothing: [`set_in_use`](Self::set_in_use) does when the run has been built.
    ///
    /// # Errors
    /// [`Error::Memory`] or [`Error::MemoryKept`] with the bytes that the run needs and those that are available.
    pub async fn check(&self, plan: &MemoryPlan) -> Result<()> {
        match self.shortage(plan).await {
            Some(shortage) => Err(shortage.into()),
            None => Ok(()),
        }
    }

    /// Checks that the parameters of another model fit beside everything that is allocated.
    ///
    /// # Errors
    /// [`Error::Memory`] with its bytes and those that are available to it.
    pub async fn check_model(&self, bytes: u64) -> Result<()> {
        let in_use = self.in_use.get();
        match self.limit_below(in_use + bytes).await {
            None => Ok(()),
            Some(limit) => Err(Error::Memory {
                what: "the model, beside those that are loaded and trained,",
                needs: bytes,
                offered: limit.saturating_sub(in_use),
                remedy: FEWER_MODELS,
            }),
        }
    }

    /// Why a run does not fit; none if it fits. Allocates the whole run on trial unless it is known to fit.
    pub async fn shortage(&self, plan: &MemoryPlan) -> Option<Shortage> {
        if let Some(shortage) = self.binding_shortage(plan) {
            return Some(shortage);
        }
        let offered = self.limit_below(plan.total).await?;
        Some(memory_shortage(plan, offered))
    }

    /// Why a run does not fit, as a hint while its settings are edited: allocates at most [`MAX_HINT`] bytes on trial,
    /// and nothing if the need grew by less than [`HINT_STEP`] since the last trial.
    async fn hint(&self, plan: &MemoryPlan) -> Option<Shortage> {
        if let Some(shortage) = self.binding_shortage(plan) {
            return Some(shortage);
        }
        let tried = match self.memory {
            DeviceMemory::Fixed(_) => plan.total,
            DeviceMemory::Probe(_) if self.exhausted_at.get().is_some_and(|at| plan.total > at) => {
                plan.total
            }
            DeviceMemory::Probe(_) => {
                let rounded = plan.total - plan.total % HINT_STEP;
                rounded.min(self.in_use.get() + MAX_HINT)
            }
        };
        let offered = self.limit_below(tried).await?;
        Some(memory_shortage(plan, offered))
    }

    fn binding_shortage(&self, plan: &MemoryPlan) -> Option<Shortage> {
        let offered = self.max_binding.filter(|&limit| plan.largest > limit)?;
        Some(Shortage::Binding {
            needs: plan.largest,
            offered,
        })
    }

    /// The report of a run with these arguments. Only with `trial` the device is asked for memory; else the run is
    /// assumed to fit. The shortage is a hint: a run is checked again when it starts.
    pub async fn report(
        &self,
        demand: &MemoryDemand<'_>,
        arguments: &TrainingArguments,
        trial: bool,
    ) -> MemoryReport {
        let plan = MemoryPlan::new(demand);
        let shortage = match trial {
            true => self.hint(&plan).await,
            false => None,
        };
        let fits = |other: &MemoryPlan| other.total < plan.total && self.may_fit(other);
        MemoryReport {
            rows: demand.batch,
            tokens: demand.seq,
            suggestions: memory_suggestions(demand, arguments, fits),
            shortage,
            plan,
        }
    }

    /// Whether a run fits as far as is known without another trial.
    pub fn may_fit(&self, plan: &MemoryPlan) -> bool {
        let limit = match self.memory {
            DeviceMemory::Fixed(bytes) => Some(bytes),
            DeviceMemory::Probe(_) => self.exhausted_at.get(),
        };
        let fits = |limit: Option<u64>, bytes| limit.is_none_or(|limit| bytes <= limit);
        fits(self.max_binding, plan.largest) && fits(limit, plan.total)
    }

    /// The bytes that are available, if they are fewer than `total`.
    async fn limit_below(&self, total: u64) -> Option<u64> {
        let probe = match &self.memory {
            DeviceMemory::Fixed(bytes) => return (total > *bytes).then_some(*bytes),
            DeviceMemory::Probe(probe) => probe,
        };
        if total <= self.available.get().max(self.in_use.get()) {
            return None;
        }
        if let Some(limit) = self.exhausted_at.get().filter(|&limit| total > limit) {
            return Some(limit);
        }
        let in_use = self.in_use.get();
        let available = in_use + allocate_on_trial(probe, total - in_use).await;
        self.available.set(self.available.get().max(available));
        let limit = (available < total).then_some(available);
        self.exhausted_at.set(limit.or(self.exhausted_at.get()));
        limit
    }
}

/// The shortage of a run to which `offered` bytes are available.
fn memory_shortage(plan: &MemoryPlan, offered: u64) -> Shortage {
    let (needs, kept) = (plan.total, plan.kept);
    if kept > 0 && needs - kept <= offered {
        return Shortage::Kept {
            needs,
            kept,
            offered,
        };
    }
    Shortage::Memory { needs, offered }
}

/// Allocates `bytes` in several buffers and frees them. Returns the bytes that the device allocated, to a
/// [`RESOLUTION`]th of the first buffer: after each failure the buffers are half as large.
async fn allocate_on_trial<P: MemoryProbe>(probe: &P, bytes: u64) -> u64 {
    let mut size = bytes
        .div_ceil(BUFFERS)
        .max(MIN_FIRST_BUFFER)
        .min(probe.max_buffer_size());
    let min_size = (size / RESOLUTION).max(1);
    let mut buffers = Vec::new();
    let mut allocated = 0;
    while allocated < bytes && size >= min_size {
        // Sizes of storage buffers are multiples of 4.
        let next = size.min(bytes - allocated).next_multiple_of(4);
        match probe.allocate(next).await {
            Some(buffer) => {
                buffers.push(buffer);
                allocated += next;
            }
            None => size = next / 2,
        }
    }
    for buffer in buffers {
        probe.free(buffer);
    }
    allocated.min(bytes)
}

#[cfg(test)]
mod tests;
