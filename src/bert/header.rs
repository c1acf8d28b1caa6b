//! The header of a safetensors file, read without the rest of the file.
//!
//! The [format](https://huggingface.co/docs/safetensors/index#format) has 8 bytes of the header's length, the header as
//! JSON, and the tensors' bytes without gaps.

use crate::io::{ByteSource, LFS_POINTER, LFS_PROBLEM};
use crate::{Error, Result};
use safetensors::tensor::Metadata;

/// Bytes of the largest header that is accepted, which is the limit of the safetensors library.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Reads the header and returns the offset of the first tensor, in bytes, and the metadata.
///
/// # Errors
/// [`Error::WeightsFile`] if the file is not safetensors or is truncated, [`Error::Download`] from the source.
pub(crate) async fn read_header(
    source: &mut impl ByteSource,
    file: &str,
) -> Result<(u64, Metadata)> {
    let refuse = |problem: String| Error::WeightsFile {
        file: file.into(),
        problem,
    };
    let size = source.size().await?;
    if let Some(size) = size
        && size < 8
    {
        return Err(refuse(format!(
            "it has {size} bytes, fewer than its shortest header."
        )));
    }
    let mut len = [0; 8];
    len.copy_from_slice(&source.read(0..8).await?);
    if LFS_POINTER.as_bytes().starts_with(&len) {
        return Err(refuse(LFS_PROBLEM.into()));
    }
    let len = u64::from_le_bytes(len);
    if len > MAX_HEADER_BYTES || size.is_some_and(|size| len + 8 > size) {
        return Err(refuse(format!(
            "its first 8 bytes announce a header of {len} bytes, which cannot be. It is another kind of file, or \
             truncated."
        )));
    }
    // `SafeTensors::read_metadata` requires the whole file in memory.
    let header = source.read(8..8 + len).await?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| refuse(format!("its header is broken ({error}).")))?;
    check_offsets(&metadata).map_err(refuse)?;
    if let Some(size) = size
        && size != 8 + len + data_len(&metadata)
    {
        return Err(refuse(format!(
            "it has {size} bytes, but its header describes {}. The file is truncated or damaged.",
            8 + len + data_len(&metadata)
        )));
    }
    Ok((8 + len, metadata))
}

/// Returns the bytes before the tensors of a file: the length of the header, and the header with padding to 8 bytes.
///
/// # Errors
/// serde_json's, for metadata that are no JSON.
pub(crate) fn header_bytes(metadata: &Metadata) -> serde_json::Result<Vec<u8>> {
    let mut header = serde_json::to_vec(metadata)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    Ok(bytes)
}

/// Checks that the tensors are contiguous and that the size of each follows from its shape and dtype.
fn check_offsets(metadata: &Metadata) -> Result<(), String> {
    let tensors = metadata.tensors();
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    for (name, info) in tensors {
        let elements = info
            .shape
            .iter()
            .try_fold(1usize, |product, &len| product.checked_mul(len));
        let bits = elements.and_then(|elements| elements.checked_mul(info.dtype.bitsize()));
        let (start, stop) = info.data_offsets;
        if start != end || bits != stop.checked_sub(start).map(|bytes| bytes * 8) {
            return Err(format!(
                "tensor `{name}` of shape {:?} and dtype {:?} has the bytes {start} to {stop}, which does not fit.",
                info.shape, info.dtype
            ));
        }
        end = stop;
    }
    Ok(())
}

/// Returns the bytes of all tensors.
pub(super) fn data_len(metadata: &Metadata) -> u64 {
    metadata
        .tensors()
        .values()
        .map(|info| info.data_offsets.1 as u64)
        .max()
        .unwrap_or(0)
}
