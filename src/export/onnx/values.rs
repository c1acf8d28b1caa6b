//! Values of a parameter in the types of a file. The bytes are little-endian, as in memory on every target of this
//! crate.

use super::proto::DataType;
use super::weights::Weight;
use half::f16;

/// The integer for the largest absolute value of a row of an embedding table.
const LARGEST: f32 = 127.0;
/// The one for a row of a linear layer, as with `reduce_range` of onnxruntime's `quantize_dynamic`: on x86 processors
/// without VNNI instructions, two products of an unsigned and a signed integer are summed in 16 bits, which the full
/// range would exceed.
const LARGEST_OF_LINEAR: f32 = 64.0;

/// The values of one parameter as they are read, row by row.
pub(super) struct Converter {
    data_type: DataType,
    /// Rows of the parameter, if they become columns.
    transposed: Option<usize>,
    columns: usize,
    /// The bytes of all values if they are transposed, else of the last rows.
    pub bytes: Vec<u8>,
    /// One scale for each row that was read, if the values are quantized.
    pub scales: Vec<f32>,
    /// Rows that were read.
    rows: usize,
}

impl Converter {
    pub(super) fn new(weight: &Weight) -> Self {
        let (stored, rows) = (&weight.tensors[0], weight.rows());
        let len = stored.len() as usize * usize::from(weight.is_transposed);
        Self {
            data_type: stored.data_type,
            transposed: weight.is_transposed.then_some(rows),
            columns: weight.columns(),
            bytes: vec![0; len],
            scales: Vec::new(),
            rows: 0,
        }
    }

    /// Converts the next rows.
    pub(super) fn add(&mut self, values: &[f32]) {
        if self.transposed.is_none() {
            self.bytes.clear();
        }
        for row in values.chunks_exact(self.columns) {
            match self.data_type {
                DataType::Float16 => {
                    self.place(row.iter().map(|&value| finite_f16(value).to_le_bytes()));
                }
                DataType::Int8 => {
                    let scale = self.scale(row);
                    // An f32 becomes the nearest i8 in range, and NaN becomes 0.
                    let integer = |value: f32| (value / scale).round_ties_even() as i8;
                    self.place(row.iter().map(|&value| integer(value).to_le_bytes()));
                }
                _ => self.place(row.iter().map(|value| value.to_le_bytes())),
            }
            self.rows += 1;
        }
    }

    /// The scale of a row: its largest absolute value becomes the largest integer.
    fn scale(&mut self, row: &[f32]) -> f32 {
        let largest = row
            .iter()
            .fold(0.0f32, |largest, value| largest.max(value.abs()));
        let integer = if self.transposed.is_some() {
            LARGEST_OF_LINEAR
        } else {
            LARGEST
        };
        // Any scale is right for a row of zeros, except 0.
        let scale = if largest > 0.0 {
            largest / integer
        } else {
            1.0
        };
        self.scales.push(scale);
        scale
    }

    fn place<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) {
        let Some(rows) = self.transposed else {
            self.bytes.extend(values.flatten());
            return;
        };
        let starts = (self.rows * N..).step_by(rows * N);
        for (start, value) in starts.zip(values) {
            self.bytes[start..start + N].copy_from_slice(&value);
        }
    }
}

/// The nearest f16, where a value beyond the largest one becomes the largest one.
fn finite_f16(value: f32) -> f16 {
    f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}
