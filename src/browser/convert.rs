//! Values across the border: plain objects both ways, errors as `WorkerError` objects.

use crate::Error;
use crate::settings::Values;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
struct WorkerError {
    code: &'static str,
    message: String,
    field: Option<String>,
}

/// A plain JavaScript value: maps are objects, absent values are null.
pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_missing_as_null(true);
    value
        .serialize(&serializer)
        .map_err(|error| JsValue::from_str(&error.to_string()))
}

/// The crate's error as the page shows it.
pub(super) fn error(error: Error) -> JsValue {
    let object = WorkerError {
        code: error.code(),
        message: error.to_string(),
        field: error.field().map(str::to_string),
    };
    to_js(&object).unwrap_or_else(|failed| failed)
}

/// Setting values from an object. A NaN or infinite number becomes null, which the table refuses by name.
pub(super) fn values(object: JsValue) -> Result<Values, JsValue> {
    serde_wasm_bindgen::from_value::<serde_json::Value>(object)
        .ok()
        .and_then(|value| match value {
            serde_json::Value::Object(values) => Some(values),
            _ => None,
        })
        .ok_or_else(|| {
            error(Error::NotReady(
                "The settings are not an object of names and values.".into(),
            ))
        })
}
