//! Loads the kernels of the CPU device as a module with relaxed-SIMD instructions, where the browser has them: a fused
//! multiply-add. Safari has none, and refuses a module as a whole for one instruction that it lacks.

use crate::kernels;
use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A module with one function, whose only instruction of interest is `f32x4.relaxed_madd`.
const PROBE: [u8; 40] = [
    0, 97, 115, 109, 1, 0, 0, 0, // header
    1, 4, 1, 96, 0, 0, // type: () -> ()
    3, 2, 1, 0, // function 0 has type 0
    10, 20, 1, 18, 0, // code: one body of 18 bytes without locals
    65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, // i32.const 0, i32x4.splat, three times
    253, 133, 2, // f32x4.relaxed_madd
    26, 11, // drop, end
];
/// Bytes of the stack of the module's functions.
const STACK: usize = 64 * 1024;

thread_local! {
    static LOADED: Cell<bool> = const { Cell::new(false) };
}

/// Loads the module at `address` and runs the later kernels of the CPU device with it. Returns whether it did: not
/// where the browser lacks the instructions, and not if the module cannot be loaded or computes something else than the
/// kernels that are linked.
pub(super) async fn load(address: &str) -> bool {
    if LOADED.get() {
        return true;
    }
    let is_used = load_first(address).await;
    LOADED.set(is_used);
    is_used
}

async fn load_first(address: &str) -> bool {
    if !WebAssembly::validate(&Uint8Array::from(PROBE.as_slice())).unwrap_or(false) {
        return false;
    }
    let compute = instantiate(address).await;
    match compute.and_then(|instance| add_to_table(&instance)) {
        // SAFETY: the function is `compute` of `cpu/module`, built from the same source as this module.
        Ok(compute) => unsafe { kernels::use_kernels(compute) },
        Err(error) => {
            web_sys::console::warn_2(
                &"The kernels with relaxed SIMD were not loaded.".into(),
                &error,
            );
            false
        }
    }
}

/// Instantiates the module with the memory of this one.
async fn instantiate(address: &str) -> Result<WebAssembly::Instance, JsValue> {
    let environment = Object::new();
    Reflect::set(&environment, &"memory".into(), &wasm_bindgen::memory())?;
    let imports = Object::new();
    Reflect::set(&imports, &"env".into(), &environment)?;
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = global.fetch_with_str(address);
    let source = WebAssembly::instantiate_streaming(&response, &imports);
    let source = JsFuture::from(source).await?;
    let instance: WebAssembly::Instance = Reflect::get(&source, &"instance".into())?.dyn_into()?;
    let stack = Vec::leak(vec![0_u8; STACK]).as_mut_ptr_range().end as usize;
    let pointer = Reflect::get(&instance.exports(), &"__stack_pointer".into())?;
    // The stack is aligned to 16 bytes.
    Reflect::set(&pointer, &"value".into(), &((stack & !15) as f64).into())?;
    Ok(instance)
}

/// Adds the module's function to the table of functions of this module, so that it can be called by a pointer.
fn add_to_table(instance: &WebAssembly::Instance) -> Result<kernels::Compute, JsValue> {
    let function = Reflect::get(&instance.exports(), &"compute".into())?;
    let table: WebAssembly::Table = wasm_bindgen::function_table().dyn_into()?;
    let index = table.grow(1)?;
    table.set(index, function.unchecked_ref())?;
    // SAFETY: on WebAssembly a function pointer is an index of the table.
    Ok(unsafe { std::mem::transmute::<usize, kernels::Compute>(index as usize) })
}
