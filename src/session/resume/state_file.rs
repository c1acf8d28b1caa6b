//! A state of a run on the disk: a [safetensors](https://huggingface.co/docs/safetensors/index#format) file with the
//! numbers of the state as JSON among its metadata, and a checksum of the whole file.
//!
//! The checksum is CRC-32C of the file with eight zeros in the checksum's place, so it is written last.

use super::record::FORMAT;
use crate::bert::{CHUNK, header_bytes, read_back, read_header};
use crate::hub::{Blob, BlobFile, Disk};
use crate::kernels;
use crate::session::drafts::Draft;
use crate::train::{ResumeTensors, StepLog};
use crate::{Error, Result};
use burn::tensor::{Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::HashMap;
use std::ops::Range;

/// Numbers of the state, as JSON.
const STATE: &str = "state";
/// The version of the format.
const VERSION: &str = "webtune_run_format";
const CHECKSUM: &str = "crc32c";
const NO_CHECKSUM: &str = "00000000";

/// The logs of the updates, `[updates, LOG_VALUES]`.
const LOGS: &str = "log_history";
const LOG_VALUES: usize = 5;

/// What a state file has.
#[derive(Debug)]
pub(super) struct StateFile {
    /// The numbers of the state.
    pub state: String,
    pub logs: Vec<StepLog>,
    pub tensors: ResumeTensors,
}

/// Bytes of the file without its header.
pub(super) fn data_bytes(logs: &[StepLog], tensors: &ResumeTensors) -> u64 {
    let values: usize = tensors.values().map(|values| values.dims()[0]).sum();
    (size_of::<f32>() * values + size_of::<f64>() * LOG_VALUES * logs.len()) as u64
}

impl StateFile {
    /// Writes a state front to back, and its checksum at the end.
    ///
    /// # Errors
    /// [`Error::Device`] if the device fails, [`Error::Export`] where the disk refuses bytes.
    pub(super) async fn write<D: Disk>(self, draft: &mut Draft<D>) -> Result<()> {
        let head = head(&self)?;
        let mut sum = crc32c::crc32c(&head);
        draft.append(&head)?;
        let logs = log_bytes(&self.logs);
        sum = crc32c::crc32c_append(sum, &logs);
        draft.append(&logs)?;
        let mut write = |bytes: &[u8]| {
            sum = crc32c::crc32c_append(sum, bytes);
            draft.append(bytes)
        };
        read_back(self.tensors.into_values(), CHUNK, &mut write).await?;
        let (place, sum) = (checksum_place(&head)?, format!("{sum:08x}"));
        draft.replace(sum.as_bytes(), place.start as u64)
    }

    /// Reads a state and uploads its tensors to `device`, which is without autodiff.
    ///
    /// # Errors
    /// [`Error::Resume`] for a damaged file, or one of another format.
    pub(super) async fn read<B: Blob>(blob: B, device: &Device) -> Result<Self> {
        let (metadata, head) = read_head(&blob).await?;
        let information = metadata.metadata().clone().unwrap_or_default();
        let text = |key: &str| information.get(key).cloned().ok_or_else(damaged);
        let mut file = Self {
            state: text(STATE)?,
            logs: Vec::new(),
            tensors: ResumeTensors::new(),
        };
        let place = checksum_place(&head)?;
        let written = head[place.clone()].to_vec();
        let mut zeroed = head.clone();
        zeroed[place].copy_from_slice(NO_CHECKSUM.as_bytes());
        let mut reader = Reader {
            blob: &blob,
            sum: crc32c::crc32c(&zeroed),
        };
        for (name, info) in in_order(&metadata) {
            let start = (head.len() + info.data_offsets.0) as u64;
            let range = start..(head.len() + info.data_offsets.1) as u64;
            if name == LOGS {
                file.logs = reader.logs(&info, range)?;
            } else {
                let values = reader.values(&info, range, device)?;
                file.tensors.insert(name, values);
            }
        }
        match format!("{:08x}", reader.sum).as_bytes() == written {
            true => Ok(file),
            false => Err(damaged()),
        }
    }

    /// The numbers of a state, without its tensors and without a test of its checksum.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) async fn read_state<B: Blob>(blob: B) -> Result<String> {
        let (metadata, _) = read_head(&blob).await?;
        let information = metadata.metadata().clone().unwrap_or_default();
        information.get(STATE).cloned().ok_or_else(damaged)
    }
}

/// The header of the file, with its length and without the checksum.
fn head(file: &StateFile) -> Result<Vec<u8>> {
    let mut end = size_of::<f64>() * LOG_VALUES * file.logs.len();
    let logs = TensorInfo {
        dtype: Dtype::F64,
        shape: vec![file.logs.len(), LOG_VALUES],
        data_offsets: (0, end),
    };
    let mut tensors = vec![(LOGS.to_string(), logs)];
    for (name, values) in &file.tensors {
        let [len] = values.dims();
        let start = end;
        end += size_of::<f32>() * len;
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: vec![len],
            data_offsets: (start, end),
        };
        tensors.push((name.clone(), info));
    }
    let information = [
        (VERSION, FORMAT.to_string()),
        (CHECKSUM, NO_CHECKSUM.to_string()),
        (STATE, file.state.clone()),
    ];
    let information = information.map(|(key, value)| (key.to_string(), value));
    let metadata = Metadata::new(Some(HashMap::from(information)), tensors);
    let broken = |error: String| Error::Resume(format!("it has no header ({error})"));
    let metadata = metadata.map_err(|error| broken(error.to_string()))?;
    header_bytes(&metadata).map_err(|error| broken(error.to_string()))
}

/// Where the checksum is in the header. The text before it cannot be in a string of JSON, where quotes are escaped.
fn checksum_place(head: &[u8]) -> Result<Range<usize>> {
    let before = format!("\"{CHECKSUM}\":\"");
    let mut windows = head.windows(before.len());
    let found = windows.position(|window| window == before.as_bytes());
    let start = found.ok_or_else(damaged)? + before.len();
    let range = start..start + NO_CHECKSUM.len();
    match head.get(range.clone()) {
        Some(_) => Ok(range),
        None => Err(damaged()),
    }
}

/// The metadata of a file of this format, and the bytes before its tensors.
async fn read_head<B: Blob>(blob: &B) -> Result<(Metadata, Vec<u8>)> {
    let mut source = BlobFile::whole("state", blob.clone());
    let header = read_header(&mut source, "state").await;
    let (start, metadata) = header.map_err(|_| damaged())?;
    let version = metadata.metadata().as_ref();
    let version = version.and_then(|information| information.get(VERSION));
    let version = version.ok_or_else(damaged)?;
    if *version != FORMAT.to_string() {
        return Err(Error::Resume(format!(
            "its state has format {version}, and this version reads format {FORMAT}"
        )));
    }
    let head = blob.read(0..start).map_err(|_| damaged())?;
    Ok((metadata, head))
}

/// The tensors in the order of their bytes.
fn in_order(metadata: &Metadata) -> Vec<(String, TensorInfo)> {
    let tensors = metadata.tensors().into_iter();
    let mut tensors: Vec<_> = tensors.map(|(name, info)| (name, info.clone())).collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    tensors
}

/// Reads the bytes of a file in their order, and sums them up.
struct Reader<'a, B> {
    blob: &'a B,
    sum: u32,
}

impl<B: Blob> Reader<'_, B> {
    fn bytes(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let bytes = self.blob.read(range).map_err(|_| damaged())?;
        self.sum = crc32c::crc32c_append(self.sum, &bytes);
        Ok(bytes)
    }

    fn logs(&mut self, info: &TensorInfo, range: Range<u64>) -> Result<Vec<StepLog>> {
        if info.dtype != Dtype::F64 || info.shape.get(1) != Some(&LOG_VALUES) {
            return Err(damaged());
        }
        let bytes = self.bytes(range)?;
        let (values, _) = bytes.as_chunks::<{ size_of::<f64>() }>();
        let values: Vec<f64> = values
            .iter()
            .map(|value| f64::from_le_bytes(*value))
            .collect();
        let (rows, _) = values.as_chunks::<LOG_VALUES>();
        Ok(rows.iter().map(log_of).collect())
    }

    /// Uploads the values of a tensor piece by piece, so that the heap never holds a whole one.
    fn values(
        &mut self,
        info: &TensorInfo,
        range: Range<u64>,
        device: &Device,
    ) -> Result<Tensor<1>> {
        let width = size_of::<f32>() as u64;
        if info.dtype != Dtype::F32 || info.shape.len() != 1 {
            return Err(damaged());
        }
        let mut buffer = Tensor::empty([info.shape[0]], device);
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + CHUNK as u64 * width);
            let bytes = self.bytes(start..end)?;
            let (values, _) = bytes.as_chunks::<{ size_of::<f32>() }>();
            let values = values.iter().map(|value| f32::from_le_bytes(*value));
            let at = ((start - range.start) / width) as usize;
            buffer = kernels::write(buffer, values.collect(), at);
            start = end;
        }
        Ok(buffer)
    }
}

fn log_bytes(logs: &[StepLog]) -> Vec<u8> {
    let values = logs.iter().flat_map(|log| {
        let step = log.step as f64;
        [log.epoch, log.grad_norm, log.learning_rate, log.loss, step]
    });
    values.flat_map(f64::to_le_bytes).collect()
}

fn log_of(values: &[f64; LOG_VALUES]) -> StepLog {
    let &[epoch, grad_norm, learning_rate, loss, step] = values;
    StepLog {
        epoch,
        grad_norm,
        learning_rate,
        loss,
        step: step as usize,
    }
}

fn damaged() -> Error {
    Error::Resume("its state is damaged".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Folder;
    use crate::hub::testing::{FakeBlob, FakeDisk};
    use pollster::block_on;

    fn tensors(device: &Device) -> ResumeTensors {
        let tensor = |start: i64, end: i64| {
            Tensor::<1, burn::tensor::Int>::arange(start..end, device).float()
        };
        [
            ("clip".to_string(), tensor(0, 4)),
            ("model.a".to_string(), tensor(-300, 300)),
        ]
        .into()
    }

    fn written(device: &Device) -> Vec<u8> {
        let disk = FakeDisk::default();
        let log = StepLog {
            epoch: 0.5,
            grad_norm: f64::INFINITY,
            learning_rate: 1e-5,
            loss: 0.7,
            step: 3,
        };
        let file = StateFile {
            state: r#"{"a":"\"crc32c\":\"12345678\""}"#.into(),
            logs: vec![log, log],
            tensors: tensors(device),
        };
        let draft = block_on(Draft::begin(&disk, Folder::Runs, "0.0.state"));
        let mut draft = draft.unwrap();
        block_on(file.write(&mut draft)).unwrap();
        block_on(draft.finish()).unwrap();
        disk.content(Folder::Runs, "0.0.state").borrow().clone()
    }

    #[test]
    fn reads_what_was_written() {
        let device = Device::flex();
        let bytes = written(&device);
        // It is a safetensors file for any other reader.
        let other = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(other.tensor("model.a").unwrap().shape(), [600]);
        let read = block_on(StateFile::read(FakeBlob::new(&bytes), &device)).unwrap();
        assert_eq!(read.logs.len(), 2);
        assert_eq!(read.logs[0].grad_norm, f64::INFINITY);
        assert!(read.state.contains("12345678"));
        for ((name, found), (expected_name, expected)) in
            read.tensors.into_iter().zip(tensors(&device))
        {
            assert_eq!(name, expected_name);
            found.into_data().assert_eq(&expected.into_data(), true);
        }
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let device = Device::flex();
        let whole = written(&device);
        let is_refused =
            |bytes: &[u8]| block_on(StateFile::read(FakeBlob::new(bytes), &device)).is_err();
        assert!(!is_refused(&whole));
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(is_refused(&changed), "byte {at} of {}", whole.len());
            assert!(is_refused(&whole[..at]), "cut at {at}");
        }
    }

    #[test]
    fn hostile_states_are_refused() {
        let device = Device::flex();
        crate::hostile::attack("state", &[written(&device)], 64, |bytes| {
            let _ = block_on(StateFile::read(FakeBlob::new(bytes), &device));
            let _ = block_on(StateFile::read_state(FakeBlob::new(bytes)));
        });
    }
}
