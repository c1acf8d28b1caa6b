//! Limits of a device: the largest parameter, the blocks of the one table that may be larger, and the size of the
//! chunks in which weights are uploaded.

/// Bytes of f32 values in a chunk of an upload. It is small compared with the heap of a browser tab, and large
/// enough that the number of chunks does not matter.
const CHUNK_BYTES: u64 = 4 << 20;

/// Limits that a network has to meet. The default is a device without limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Size of the largest parameter in bytes of f32. The word embeddings are split into blocks of at most this size;
    /// any other parameter that exceeds it is refused.
    pub max_parameter_bytes: u64,
    /// Bytes of f32 values that are read, converted and uploaded at a time.
    pub chunk_bytes: u64,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self {
            max_parameter_bytes: u64::MAX,
            chunk_bytes: u64::MAX,
        }
    }
}

impl LoadLimits {
    /// Returns the limits of a device that binds at most `bytes` of one buffer (WebGPU's
    /// [`maxStorageBufferBindingSize`]). A parameter may have half of it, because the two moments that AdamW keeps of a
    /// parameter are one tensor.
    ///
    /// [`maxStorageBufferBindingSize`]: https://www.w3.org/TR/webgpu/#dom-supported-limits-maxstoragebufferbindingsize
    pub fn for_binding_size(bytes: u64) -> Self {
        Self {
            max_parameter_bytes: bytes / 2,
            chunk_bytes: CHUNK_BYTES,
        }
    }

    /// Returns the limits of a device that takes parameters of any size, with uploads in chunks.
    pub fn chunked() -> Self {
        Self {
            chunk_bytes: CHUNK_BYTES,
            ..Self::default()
        }
    }

    /// Returns the number of values in a chunk, at least 1.
    pub(super) fn chunk_values(&self) -> usize {
        usize::try_from(self.chunk_bytes / size_of::<f32>() as u64)
            .unwrap_or(usize::MAX)
            .max(1)
    }

    /// Returns the rows of each block of a table of `rows` rows of `width` values: as few blocks as fit, all but the
    /// last of one size, so that they can reuse the same buffers. A row that exceeds the limit is a block of its own.
    pub fn blocks(&self, rows: usize, width: usize) -> Vec<usize> {
        let row_bytes = (width * size_of::<f32>()).max(1) as u64;
        let max_rows = usize::try_from(self.max_parameter_bytes / row_bytes).unwrap_or(usize::MAX);
        let count = rows.div_ceil(max_rows.max(1)).max(1);
        let block_rows = rows.div_ceil(count);
        let starts = (0..count).map(|at| at * block_rows);
        starts
            .map(|start| block_rows.min(rows.saturating_sub(start)))
            .filter(|&rows| rows > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_table_into_as_few_blocks_as_fit() {
        // Rows of 8 values are 32 bytes.
        let blocks = |max_parameter_bytes, rows| {
            let limits = LoadLimits {
                max_parameter_bytes,
                ..LoadLimits::default()
            };
            limits.blocks(rows, 8)
        };
        assert_eq!(blocks(u64::MAX, 10), [10]);
        assert_eq!(blocks(320, 10), [10]);
        assert_eq!(blocks(319, 10), [5, 5]);
        assert_eq!(blocks(128, 10), [4, 4, 2]);
        assert_eq!(blocks(96, 10), [3, 3, 3, 1]);
        assert_eq!(blocks(64, 9), [2, 2, 2, 2, 1]);
        // Rounding up may need fewer blocks than the first count.
        assert_eq!(blocks(224, 9), [5, 4]);
        assert_eq!(blocks(0, 3), [1, 1, 1]);
    }

    #[test]
    fn a_multilingual_vocabulary_fits_the_smallest_webgpu_binding() {
        let limits = LoadLimits::for_binding_size(128 << 20);
        let blocks = limits.blocks(119_547, 768);
        assert_eq!(blocks.iter().sum::<usize>(), 119_547);
        assert_eq!(blocks.len(), 6);
        for rows in blocks {
            assert!(2 * rows * 768 * 4 <= 128 << 20, "{rows}");
        }
    }
}
