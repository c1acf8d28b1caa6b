//! Values of Rust and JavaScript: plain objects both ways, errors as `WorkerError` objects.

use crate::session::protocol::WorkerError;
use crate::settings::Values;
use crate::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// A plain JavaScript value: maps are objects, absent values are null.
pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_missing_as_null(true);
    let value = value.serialize(&serializer);
    value.map_err(|error| JsValue::from_str(&error.to_string()))
}

/// The crate's error as the page shows it.
pub(super) fn error(error: Error) -> JsValue {
    to_js(&WorkerError::from(&error)).unwrap_or_else(|failed| failed)
}

/// A plain JavaScript value as JSON. A NaN or infinite number becomes null.
pub(super) fn json(value: JsValue) -> Result<Value> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|problem| Error::NotReady(format!("The request is not plain data: {problem}.")))
}

/// Setting values from an object.
pub(super) fn values(object: JsValue) -> Result<Values> {
    match json(object)? {
        Value::Object(values) => Ok(values),
        _ => Err(Error::NotReady(
            "The settings are not an object of names and values.".into(),
        )),
    }
}
