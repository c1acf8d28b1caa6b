//! Operations with weights: which parameter becomes which tensor, in each precision.

use super::graph::Graph;
use super::proto::{DataType, TensorProto};
use super::{Precision, refuse};
use crate::Result;
use crate::bert::MergedParameter;

/// The module of the head. It is f32 in every precision: it is small, and its rounding would change logits directly.
const HEAD: &str = "classifier";

/// Where a tensor of the graph gets its values from.
pub(super) struct Weight {
    pub parameter: MergedParameter,
    /// Whether the values are stored as `[in_features, out_features]`, the order that `MatMul` reads.
    pub is_transposed: bool,
    /// The tensors of the graph: one, or of quantized values two, the second one being their scales.
    pub tensors: Vec<Stored>,
}

impl Weight {
    /// Values in a row of the parameter.
    pub(super) fn columns(&self) -> usize {
        self.parameter.shape().last().copied().unwrap_or(1)
    }

    /// Rows of the parameter.
    pub(super) fn rows(&self) -> usize {
        let shape = self.parameter.shape();
        shape[..shape.len().saturating_sub(1)].iter().product()
    }
}

/// A tensor in the file.
pub(super) struct Stored {
    pub name: String,
    pub data_type: DataType,
    pub shape: Vec<usize>,
}

impl Stored {
    /// Bytes of the values.
    pub(super) fn len(&self) -> u64 {
        (self.shape.iter().product::<usize>() * self.data_type.size()) as u64
    }

    /// The message without the values.
    pub(super) fn message(&self) -> TensorProto {
        TensorProto::without_values(&self.name, self.data_type, &self.shape)
    }
}

impl Graph {
    /// Takes a parameter as an f32 tensor and returns its name.
    pub(super) fn vector(&mut self, name: &str) -> Result<String> {
        let parameter = self.take(name)?;
        let shape = parameter.shape().to_vec();
        self.store(parameter, false, vec![stored(name, DataType::Float, shape)]);
        Ok(name.into())
    }

    /// Looks up rows of an embedding table by `select`, which adds the operation that gets the rows of a tensor.
    pub(super) fn embedding(
        &mut self,
        module: &str,
        select: impl Fn(&mut Self, &str) -> String,
    ) -> Result<String> {
        let name = format!("{module}.weight");
        let parameter = self.take(&name)?;
        let shape = parameter.shape().to_vec();
        match self.precision {
            Precision::F32 => {
                let table = stored(&name, DataType::Float, shape);
                self.store(parameter, false, vec![table]);
                Ok(select(self, &name))
            }
            Precision::F16 => {
                let table = stored(&name, DataType::Float16, shape);
                self.store(parameter, false, vec![table]);
                let rows = select(self, &name);
                Ok(self.cast(module, &rows, DataType::Float))
            }
            Precision::Int8 => {
                let scales = vec![shape[0], 1];
                let [values, scale] = self.store_quantized(parameter, false, &name, shape, scales);
                let (rows, scale) = (select(self, &values), select(self, &scale));
                let rows = self.cast(module, &rows, DataType::Float);
                Ok(self.op(module, "Mul", &[&rows, &scale], Vec::new()))
            }
        }
    }

    /// Multiplies by the weight of a linear layer and adds its bias.
    pub(super) fn linear(&mut self, module: &str, input: &str) -> Result<String> {
        let parameter = self.take(&format!("{module}.weight"))?;
        let shape: Vec<usize> = parameter.shape().iter().rev().copied().collect();
        let name = format!("{module}.weight_transposed");
        let product = match self.precision {
            Precision::F16 if module != HEAD => {
                let weight = stored(&name, DataType::Float16, shape);
                self.store(parameter, true, vec![weight]);
                let input = self.half(module, input);
                let product = self.op(module, "MatMul", &[&input, &name], Vec::new());
                self.cast(module, &product, DataType::Float)
            }
            Precision::Int8 if module != HEAD => {
                self.quantized_product(module, input, parameter, &name, shape)
            }
            _ => {
                let weight = stored(&name, DataType::Float, shape);
                self.store(parameter, true, vec![weight]);
                self.op(module, "MatMul", &[input, &name], Vec::new())
            }
        };
        let bias = self.vector(&format!("{module}.bias"))?;
        Ok(self.op(module, "Add", &[&product, &bias], Vec::new()))
    }

    /// Multiplies in 8-bit integers. onnxruntime computes this sequence of operations as one.
    fn quantized_product(
        &mut self,
        module: &str,
        input: &str,
        parameter: MergedParameter,
        name: &str,
        shape: Vec<usize>,
    ) -> String {
        let scales = vec![shape[1]];
        let [values, scale] = self.store_quantized(parameter, true, name, shape, scales);
        let (input, [input_scale, zero_point]) = self.quantize(input);
        let inputs = [input.as_str(), &values, &zero_point];
        let product = self.op(module, "MatMulInteger", &inputs, Vec::new());
        let product = self.cast(module, &product, DataType::Float);
        let scales = self.op(module, "Mul", &[&input_scale, &scale], Vec::new());
        self.op(module, "Mul", &[&product, &scales], Vec::new())
    }

    /// The f16 value of an f32 one.
    fn half(&mut self, module: &str, value: &str) -> String {
        if let Some(known) = self.halves.get(value) {
            return known.clone();
        }
        let half = self.cast(module, value, DataType::Float16);
        self.halves.insert(value.into(), half.clone());
        half
    }

    /// Quantizes a value by its own range, and returns its integers, their scale and the integer of 0.
    fn quantize(&mut self, value: &str) -> (String, [String; 2]) {
        let [values, scale, zero_point] =
            ["quantized", "scale", "zero_point"].map(|part| format!("{value}_{part}"));
        let names = (values.clone(), [scale.clone(), zero_point.clone()]);
        if self.quantized.insert(value.into()) {
            let outputs = vec![values, scale, zero_point];
            let op = "DynamicQuantizeLinear";
            self.node("quantize", op, &[value], outputs, Vec::new());
        }
        names
    }

    /// Stores a parameter as integers and their scales, and returns the names of both.
    fn store_quantized(
        &mut self,
        parameter: MergedParameter,
        is_transposed: bool,
        name: &str,
        shape: Vec<usize>,
        scales: Vec<usize>,
    ) -> [String; 2] {
        let names = ["quantized", "scale"].map(|part| format!("{name}_{part}"));
        let tensors = vec![
            stored(&names[0], DataType::Int8, shape),
            stored(&names[1], DataType::Float, scales),
        ];
        self.store(parameter, is_transposed, tensors);
        names
    }

    fn store(&mut self, parameter: MergedParameter, is_transposed: bool, tensors: Vec<Stored>) {
        self.weights.push(Weight {
            parameter,
            is_transposed,
            tensors,
        });
    }

    fn take(&mut self, name: &str) -> Result<MergedParameter> {
        let parameter = self.parameters.remove(name);
        parameter.ok_or_else(|| refuse(format!("the model has no parameter `{name}`.")))
    }
}

fn stored(name: &str, data_type: DataType, shape: Vec<usize>) -> Stored {
    Stored {
        name: name.into(),
        data_type,
        shape,
    }
}
