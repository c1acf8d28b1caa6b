//! A graph under construction: its operations and constants.

use super::Precision;
use super::proto::{AttributeProto, DataType, NodeProto, TensorProto};
use super::weights::Weight;
use crate::bert::MergedParameter;
use std::collections::{HashMap, HashSet};

/// A graph under construction. Values are known by their names.
pub(super) struct Graph {
    pub precision: Precision,
    /// Those that are no weight yet.
    pub parameters: HashMap<String, MergedParameter>,
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    pub weights: Vec<Weight>,
    /// How many nodes have a name already, apart from their number.
    names: HashMap<String, usize>,
    /// The f16 values of f32 ones: query, key and value read the same one.
    pub halves: HashMap<String, String>,
    /// The values that are quantized too.
    pub quantized: HashSet<String>,
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
            halves: HashMap::new(),
            quantized: HashSet::new(),
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

    /// Adds an operation with outputs of given names.
    pub(super) fn node(
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

    /// A number without dimensions.
    pub(super) fn number(&mut self, value: f32) -> String {
        let bytes = value.to_le_bytes().to_vec();
        self.constant(&format!("number_{value:e}"), DataType::Float, &[], bytes)
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
}

fn base_name(module: &str, op: &str) -> String {
    format!("/{}/{op}", module.replace('.', "/"))
}
