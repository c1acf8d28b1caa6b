//! How much a device takes at once: how large a parameter may be, how the one table that may be larger is cut, and how large the pieces
//! are in which weights reach the device.

/// Bytes of the pieces that weights reach a GPU in: small beside the heap of a browser tab, large enough that their number does not matter.
const PIECE: u64 = 4 << 20;

/// What a network has to fit into. The default is a device without limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Bytes of the largest parameter, in f32. The word embeddings become blocks of at most this size; of everything else, a larger one
    /// is refused.
    pub parameter: u64,
    /// Bytes of f32 values that are read, converted and uploaded at a time.
    pub piece: u64,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self {
            parameter: u64::MAX,
            piece: u64::MAX,
        }
    }
}

impl LoadLimits {
    /// Those of a device whose kernels are given at most `binding` bytes of one tensor (WebGPU's `maxStorageBufferBindingSize`): AdamW's
    /// two moments of a parameter are one tensor of twice its size.
    pub fn of_binding(binding: u64) -> Self {
        Self {
            parameter: binding / 2,
            piece: PIECE,
        }
    }

    /// No limit to what the device holds, but pieces that spare the heap while it is filled.
    pub fn in_pieces() -> Self {
        Self {
            piece: PIECE,
            ..Self::default()
        }
    }

    /// Values of a piece, at least one.
    pub(super) fn piece_values(&self) -> usize {
        usize::try_from(self.piece / size_of::<f32>() as u64)
            .unwrap_or(usize::MAX)
            .max(1)
    }

    /// Rows of each block that a table of `rows` rows of `width` values is kept in: as few blocks as fit, all but the last of one size,
    /// so that they can use the same buffers. A row that does not fit is a block of its own.
    pub fn blocks(&self, rows: usize, width: usize) -> Vec<usize> {
        let row = (width * size_of::<f32>()).max(1) as u64;
        let most = usize::try_from(self.parameter / row).unwrap_or(usize::MAX);
        let count = rows.div_ceil(most.max(1)).max(1);
        let each = rows.div_ceil(count);
        let starts = (0..count).map(|at| at * each);
        starts
            .map(|start| each.min(rows.saturating_sub(start)))
            .filter(|&rows| rows > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_cut_into_as_few_blocks_as_fit() {
        // Rows of 8 values are 32 bytes.
        let blocks = |parameter, rows| {
            let limits = LoadLimits {
                parameter,
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
        // Rounding up may leave fewer blocks than were counted.
        assert_eq!(blocks(224, 9), [5, 4]);
        assert_eq!(blocks(0, 3), [1, 1, 1]);
    }

    #[test]
    fn a_multilingual_vocabulary_fits_the_least_device() {
        let limits = LoadLimits::of_binding(128 << 20);
        let blocks = limits.blocks(119_547, 768);
        assert_eq!(blocks.iter().sum::<usize>(), 119_547);
        assert_eq!(blocks.len(), 6);
        for rows in blocks {
            assert!(2 * rows * 768 * 4 <= 128 << 20, "{rows}");
        }
    }
}
