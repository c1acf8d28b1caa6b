//! Reads the values of many tensors back from the device in chunks: small tensors together, large ones in pieces.

use crate::Result;
use burn::tensor::{DType, Tensor};

/// Values of one read-back: few enough for the wasm heap, enough to make the latency of a read-back negligible.
pub(crate) const CHUNK: usize = 1 << 21;

/// Receives the bytes of a chunk: f32, little-endian.
type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// Reads tensors back and writes their values one after the other, `chunk` values at a time.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if the device fails, and the errors of `write`.
pub(crate) async fn read_back(
    tensors: impl IntoIterator<Item = Tensor<1>>,
    chunk: usize,
    write: &mut Sink<'_>,
) -> Result<()> {
    let (mut group, mut remaining) = (Vec::new(), chunk);
    for values in tensors {
        let (mut start, len) = (0, values.dims()[0]);
        while start < len {
            let end = len.min(start + remaining);
            group.push(values.clone().narrow(0, start, end - start));
            remaining -= end - start;
            start = end;
            if remaining == 0 {
                read(std::mem::take(&mut group), write).await?;
                remaining = chunk;
            }
        }
    }
    if group.is_empty() {
        return Ok(());
    }
    read(group, write).await
}

async fn read(group: Vec<Tensor<1>>, write: &mut Sink<'_>) -> Result<()> {
    let data = Tensor::cat(group, 0).into_data_async().await?;
    // The bytes are little-endian, as in safetensors, on every target of this crate.
    write(data.convert_dtype(DType::F32).as_bytes())
}
