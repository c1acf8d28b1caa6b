//! A graph under construction: its operations and constants, and the parameters that become its weights.

use super::proto::{AttributeProto, DataType, NodeProto, TensorProto};
use super::{Precision, refuse};
use crate::Result;
use crate::bert::MergedParameter;
use std::collections::HashMap;

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

/// The tensors that describe a value of 8-bit integers.
#[derive(Clone)]
struct Quantized {
    values: String,
    scale: String,
    zero_point: String,
}

/// A graph under construction. Values are known by their names.
pub(super) struct Graph {
    precision: Precision,
    parameters: HashMap<String, MergedParameter>,
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    pub weights: Vec<Weight>,
    /// How many nodes have a name already, apart from their number.
    names: HashMap<String, usize>,
    /// Values that have been quantized already: query, key and value read the same one.
    quantized: HashMap<String, Quantized>,
}

impl Graph {
    pub(super) fn new(precision: Precision, parameters: Vec<MergedParameter>) -> Self {
        let named = |parameter: MergedParameter| (parameter.name().to_string(), parameter);
        Self {
            precision,
            parameters: parameters.into_iter().map(named).collect(),
            nodes: Vec::new(),
            constants: Vec::new(),
            weights: Vec::new(),
            names: HashMap::new(),
            quantized: HashMap::new(),
        }
    }

    /// The type of the values between the operations.
    pub(super) fn float_type(&self) -> DataType {
        match self.precision {
            Precision::F16 => DataType::Float16,
            Precision::F32 | Precision::Int8 => DataType::Float,
        }
    }

    /// Adds an operation of `module` with one output and returns the output's name.
    pub(super) fn op(
        &mut self,
        module: &str,
        op: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = format!("{}_output_0", self.node_name(module, op));
        self.node(module, op, inputs, vec![output.clone()], attributes);
        output
    }

    /// Adds an operation whose output has a given name.
    pub(super) fn op_to(&mut self, output: &str, module: &str, op: &str, inputs: &[&str]) {
        self.node(module, op, inputs, vec![output.into()], Vec::new());
    }

    /// Casts a value to another type.
    pub(super) fn cast(&mut self, module: &str, input: &str, to: DataType) -> String {
        let to = AttributeProto::int("to", to as i64);
        self.op(module, "Cast", &[input], vec![to])
    }

    /// Casts a value to another type under a given name.
    pub(super) fn cast_to(&mut self, output: &str, module: &str, input: &str, to: DataType) {
        let to = AttributeProto::int("to", to as i64);
        self.node(module, "Cast", &[input], vec![output.into()], vec![to]);
    }

    fn node(
        &mut self,
        module: &str,
        op: &str,
        inputs: &[&str],
        output: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        let name = self.node_name(module, op);
        *self.names.entry(base_name(module, op)).or_default() += 1;
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output,
            name: Some(name),
            op_type: Some(op.into()),
            attribute,
        });
    }

    /// The name of the next node of a module.
    fn node_name(&self, module: &str, op: &str) -> String {
        let base = base_name(module, op);
        match self.names.get(&base) {
            None => base,
            Some(number) => format!("{base}_{number}"),
        }
    }

    /// A constant of the type that the graph computes with.
    pub(super) fn number(&mut self, value: f32) -> String {
        if self.float_type() == DataType::Float {
            return self.float(value);
        }
        let bytes = half::f16::from_f32(value).to_le_bytes().to_vec();
        self.constant(&format!("half_{value:e}"), DataType::Float16, &[], bytes)
    }

    /// A constant of f32 in every precision.
    pub(super) fn float(&mut self, value: f32) -> String {
        let bytes = value.to_le_bytes().to_vec();
        self.constant(&format!("float_{value:e}"), DataType::Float, &[], bytes)
    }

    /// A vector of integers: sizes or axes.
    pub(super) fn integers(&mut self, values: &[i64]) -> String {
        let text: Vec<String> = values.iter().map(i64::to_string).collect();
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let name = format!("integers_{}", text.join("_"));
        self.constant(&name, DataType::Int64, &[values.len()], bytes)
    }

    /// One integer without dimensions: an index.
    pub(super) fn index(&mut self, value: i64) -> String {
        let bytes = value.to_le_bytes().to_vec();
        self.constant(&format!("index_{value}"), DataType::Int64, &[], bytes)
    }

    fn constant(
        &mut self,
        name: &str,
        data_type: DataType,
        shape: &[usize],
        bytes: Vec<u8>,
    ) -> String {
        let is_known = |constant: &TensorProto| constant.name.as_deref() == Some(name);
        if !self.constants.iter().any(is_known) {
            let tensor = TensorProto::without_values(name, data_type, shape);
            self.constants.push(TensorProto {
                raw_data: Some(bytes),
                ..tensor
            });
        }
        name.into()
    }

    /// Takes a parameter as a tensor of the graph's own type and returns its name.
    pub(super) fn vector(&mut self, name: &str) -> Result<String> {
        let parameter = self.take(name)?;
        let shape = parameter.shape().to_vec();
        self.store(
            parameter,
            false,
            vec![(name.into(), self.float_type(), shape)],
        );
        Ok(name.into())
    }

    /// Looks up rows of an embedding table by `select`, which adds the operation that gets the rows of a tensor.
    pub(super) fn embedding(
        &mut self,
        module: &str,
        select: impl Fn(&mut Self, &str) -> String,
    ) -> Result<String> {
        let name = format!("{module}.weight");
        if self.precision != Precision::Int8 {
            let table = self.vector(&name)?;
            return Ok(select(self, &table));
        }
        let parameter = self.take(&name)?;
        let shape = parameter.shape().to_vec();
        let (values, scale) = (format!("{name}_quantized"), format!("{name}_scale"));
        let tensors = vec![
            (values.clone(), DataType::Int8, shape.clone()),
            (scale.clone(), DataType::Float, vec![shape[0], 1]),
        ];
        self.store(parameter, false, tensors);
        let (rows, scale) = (select(self, &values), select(self, &scale));
        let rows = self.cast(module, &rows, DataType::Float);
        Ok(self.op(module, "Mul", &[&rows, &scale], Vec::new()))
    }

    /// Multiplies by the weight of a linear layer and adds its bias.
    pub(super) fn linear(&mut self, module: &str, input: &str) -> Result<String> {
        let parameter = self.take(&format!("{module}.weight"))?;
        let shape: Vec<usize> = parameter.shape().iter().rev().copied().collect();
        let name = format!("{module}.weight_transposed");
        // The head is small, and its rounding would change the logits directly.
        let product = if self.precision == Precision::Int8 && module != "classifier" {
            self.quantized_product(module, input, parameter, &name, shape)
        } else {
            let tensors = vec![(name.clone(), self.float_type(), shape)];
            self.store(parameter, true, tensors);
            self.op(module, "MatMul", &[input, &name], Vec::new())
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
        let (values, scale) = (format!("{name}_quantized"), format!("{name}_scale"));
        let scales = vec![shape[1]];
        let tensors = vec![
            (values.clone(), DataType::Int8, shape),
            (scale.clone(), DataType::Float, scales),
        ];
        self.store(parameter, true, tensors);
        let input = self.quantize(input);
        let inputs = [&input.values, &values, &input.zero_point];
        let product = self.op(module, "MatMulInteger", &inputs.map(String::as_str), vec![]);
        let product = self.cast(module, &product, DataType::Float);
        let scales = self.op(module, "Mul", &[&input.scale, &scale], Vec::new());
        self.op(module, "Mul", &[&product, &scales], Vec::new())
    }

    /// Quantizes a value by its own range.
    fn quantize(&mut self, value: &str) -> Quantized {
        if let Some(known) = self.quantized.get(value) {
            return known.clone();
        }
        let [values, scale, zero_point] =
            ["quantized", "scale", "zero_point"].map(|part| format!("{value}_{part}"));
        let outputs = vec![values.clone(), scale.clone(), zero_point.clone()];
        self.node(
            "quantize",
            "DynamicQuantizeLinear",
            &[value],
            outputs,
            vec![],
        );
        let quantized = Quantized {
            values,
            scale,
            zero_point,
        };
        self.quantized.insert(value.into(), quantized.clone());
        quantized
    }

    fn store(
        &mut self,
        parameter: MergedParameter,
        is_transposed: bool,
        tensors: Vec<(String, DataType, Vec<usize>)>,
    ) {
        let stored = |(name, data_type, shape)| Stored {
            name,
            data_type,
            shape,
        };
        self.weights.push(Weight {
            parameter,
            is_transposed,
            tensors: tensors.into_iter().map(stored).collect(),
        });
    }

    fn take(&mut self, name: &str) -> Result<MergedParameter> {
        let parameter = self.parameters.remove(name);
        parameter.ok_or_else(|| refuse(format!("the model has no parameter `{name}`.")))
    }
}

fn base_name(module: &str, op: &str) -> String {
    format!("/{}/{op}", module.replace('.', "/"))
}
