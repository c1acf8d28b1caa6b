//! Tensors of the CPU device as memory that the kernels read and write.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, TensorData};
use std::ptr;

/// The values of a tensor, contiguous.
pub(super) struct Values(FloatTensor<Flex>);

impl Values {
    /// Copies the tensor if it is not contiguous.
    pub(super) fn new(tensor: FloatTensor<Flex>) -> Self {
        match tensor.as_slice::<f32>() {
            Some(_) => Self(tensor),
            None => Self(tensor.to_contiguous()),
        }
    }

    /// The same; a kernel reads `len` values.
    ///
    /// # Panics
    /// If the tensor has another number of values.
    pub(super) fn of_len(tensor: FloatTensor<Flex>, len: usize) -> Self {
        let values = Self::new(tensor);
        assert_eq!(
            values.len(),
            len,
            "an operand has the size of the operation"
        );
        values
    }

    pub(super) fn slice(&self) -> &[f32] {
        self.0.as_slice().unwrap_or_default()
    }

    pub(super) fn start(&self) -> *const f32 {
        self.slice().as_ptr()
    }

    pub(super) fn start_or_null(values: Option<&Self>) -> *const f32 {
        values.map_or(ptr::null(), Self::start)
    }

    pub(super) fn len(&self) -> usize {
        self.slice().len()
    }
}

/// Creates a tensor whose values `write` writes, all of them.
pub(super) fn output(shape: impl Into<Shape>, write: impl FnOnce(*mut f32)) -> FloatTensor<Flex> {
    let shape = shape.into();
    let len = shape.num_elements();
    let mut values = Vec::<f32>::with_capacity(len);
    write(values.as_mut_ptr());
    // SAFETY: the vector has room for `len` values, and all were written.
    unsafe { values.set_len(len) };
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}

/// Returns the first `N` values of a tensor.
pub(super) fn first_values<const N: usize>(tensor: &FloatTensor<Flex>) -> [f32; N] {
    let values = Values::new(tensor.clone());
    std::array::from_fn(|at| values.slice()[at])
}

/// The dimensions of a matrix.
pub(super) fn dims(matrix: &FloatTensor<Flex>) -> [usize; 2] {
    let shape = matrix.layout().shape();
    [shape[0], shape[1]]
}
