//! Writes weights one after the other: read back in pieces, converted, written, and dropped.

use super::file::Framed;
use super::values::Converter;
use crate::Result;
use burn::tensor::{DType, Tensor};

/// Values of one read-back: few enough for the wasm heap, enough to make the latency of a read-back negligible.
pub(super) const CHUNK: usize = 1 << 21;

type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// Writes the weights with their frames. At most `chunk` values are read back at once, or one row where that is longer.
pub(super) async fn write(weights: Vec<Framed>, chunk: usize, write: Sink<'_>) -> Result<()> {
    let (mut vectors, mut values) = (Vec::new(), 0);
    for framed in weights {
        let len: usize = framed.weight.parameter.shape().iter().product();
        let is_vector = framed.weight.parameter.shape().len() == 1;
        if values + len > chunk || !is_vector {
            write_vectors(std::mem::take(&mut vectors), write).await?;
            values = 0;
        }
        if is_vector && len <= chunk {
            vectors.push(framed);
            values += len;
        } else {
            write_matrix(framed, chunk, write).await?;
        }
    }
    write_vectors(vectors, write).await
}

/// Writes short tensors, which are read back as one.
async fn write_vectors(vectors: Vec<Framed>, write: Sink<'_>) -> Result<()> {
    if vectors.is_empty() {
        return Ok(());
    }
    let parts = vectors
        .iter()
        .flat_map(|vector| vector.weight.parameter.clone().values());
    let values = read(Tensor::cat(parts.collect(), 0)).await?;
    let mut values = values.as_slice();
    for Framed { weight, frames } in vectors {
        let (own, rest) = values.split_at(weight.columns());
        values = rest;
        let mut converter = Converter::new(&weight);
        converter.add(own);
        write(&frames[0])?;
        write(&converter.bytes)?;
    }
    Ok(())
}

/// Writes a tensor that is read back in pieces of whole rows.
async fn write_matrix(framed: Framed, chunk: usize, write: Sink<'_>) -> Result<()> {
    let Framed { weight, frames } = framed;
    let mut converter = Converter::new(&weight);
    let (columns, is_transposed) = (weight.columns(), weight.is_transposed);
    let rows = columns * (chunk / columns).max(1);
    write(&frames[0])?;
    for part in weight.parameter.values() {
        let len = part.dims()[0];
        for start in (0..len).step_by(rows) {
            let piece = part.clone().narrow(0, start, rows.min(len - start));
            converter.add(&read(piece).await?);
            if !is_transposed {
                write(&converter.bytes)?;
            }
        }
    }
    if is_transposed {
        for piece in converter.bytes.chunks(size_of::<f32>() * chunk) {
            write(piece)?;
        }
    }
    if let Some(frame) = frames.get(1) {
        write(frame)?;
        let scales: Vec<u8> = converter
            .scales
            .iter()
            .flat_map(|scale| scale.to_le_bytes())
            .collect();
        write(&scales)?;
    }
    Ok(())
}

async fn read(values: Tensor<1>) -> Result<Vec<f32>> {
    let data = values.into_data_async().await?;
    Ok(data.convert_dtype(DType::F32).try_into_vec()?)
}
