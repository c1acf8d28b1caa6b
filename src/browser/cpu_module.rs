//! Loads the kernels of the CPU device as a module with instructions that not every browser allows: a fused
//! multiply-add, which is relaxed SIMD and which Safari lacks, and atomic instructions, which need a memory that
//! threads share. A browser refuses a module as a whole for one instruction that it lacks.

use crate::kernels::{self, Threads};
use crate::session::CpuForm;
use js_sys::{Object, Promise, Reflect, Uint8Array, WebAssembly};
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use webtune_cpu::Team;

#[wasm_bindgen]
extern "C" {
    /// What the worker gives: `cpuKernels()` of `www/cpu-threads.js`.
    pub type CpuKernels;

    /// The address of the folder with the modules.
    #[wasm_bindgen(method, getter)]
    fn folder(this: &CpuKernels) -> String;

    /// The number of threads that the kernels may have.
    #[wasm_bindgen(method, getter)]
    fn threads(this: &CpuKernels) -> usize;

    /// The imports with which the threads of a memory sleep.
    #[wasm_bindgen(method)]
    fn sleep(this: &CpuKernels, memory: &JsValue) -> Object;

    /// Starts a thread (`CpuThread` of `www/cpu-thread.js`); resolves when it can compute.
    #[wasm_bindgen(method)]
    fn start(this: &CpuKernels, thread: &Object) -> Promise;
}

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
/// Bytes of the stack of an instance.
const STACK: usize = 64 * 1024;

thread_local! {
    static LOADED: Cell<Option<CpuForm>> = const { Cell::new(None) };
}

/// Loads the module that this browser and its memory allow, and runs the later kernels of the CPU device with it. They
/// are those that are linked if there is none, and if it cannot be loaded or computes something else.
pub(super) async fn load(kernels: Option<&CpuKernels>) -> CpuForm {
    let Some(kernels) = kernels else {
        return CpuForm::LINKED;
    };
    if let Some(loaded) = LOADED.get() {
        return loaded;
    }
    let loaded = load_first(kernels).await.unwrap_or_else(|problem| {
        web_sys::console::warn_2(&"The kernels of the CPU were not loaded.".into(), &problem);
        CpuForm::LINKED
    });
    LOADED.set(Some(loaded));
    loaded
}

async fn load_first(kernels: &CpuKernels) -> Result<CpuForm, JsValue> {
    let relaxed_simd = WebAssembly::validate(&Uint8Array::from(PROBE.as_slice())).unwrap_or(false);
    let file = match (is_shared()?, relaxed_simd) {
        (true, true) => "cpu_threads_relaxed.wasm",
        (true, false) => "cpu_threads.wasm",
        (false, true) => "cpu_relaxed.wasm",
        (false, false) => return Ok(CpuForm::LINKED),
    };
    let module = Module::load(kernels, file).await?;
    // SAFETY: the function is `compute` of `cpu/module`, built from the same source as this module.
    if !unsafe { kernels::use_kernels(module.function("compute")?) } {
        return Err(format!("{file} computes something else").into());
    }
    let threads = match is_shared()? {
        true => module.start_threads(kernels).await?,
        false => 1,
    };
    Ok(CpuForm {
        relaxed_simd,
        threads,
    })
}

/// Whether the memory of this module is one that threads share.
fn is_shared() -> Result<bool, JsValue> {
    let buffer = Reflect::get(&wasm_bindgen::memory(), &"buffer".into())?;
    Ok(!buffer.is_instance_of::<js_sys::ArrayBuffer>())
}

/// A module of kernels, with an instance in the memory of this module.
struct Module {
    module: JsValue,
    instance: WebAssembly::Instance,
}

impl Module {
    async fn load(kernels: &CpuKernels, file: &str) -> Result<Self, JsValue> {
        let memory = wasm_bindgen::memory();
        let environment = kernels.sleep(&memory);
        Reflect::set(&environment, &"memory".into(), &memory)?;
        let imports = Object::new();
        Reflect::set(&imports, &"env".into(), &environment)?;
        let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
        let response = global.fetch_with_str(&(kernels.folder() + file));
        let source = WebAssembly::instantiate_streaming(&response, &imports);
        let source = JsFuture::from(source).await?;
        let instance: WebAssembly::Instance =
            Reflect::get(&source, &"instance".into())?.dyn_into()?;
        let pointer = Reflect::get(&instance.exports(), &"__stack_pointer".into())?;
        Reflect::set(&pointer, &"value".into(), &new_stack().into())?;
        Ok(Self {
            module: Reflect::get(&source, &"module".into())?,
            instance,
        })
    }

    /// Adds an exported function to the table of functions of this module, so that it can be called by a pointer.
    ///
    /// # Panics
    /// If `F` is not a function pointer.
    fn function<F: Copy>(&self, name: &str) -> Result<F, JsValue> {
        let function = Reflect::get(&self.instance.exports(), &name.into())?;
        let table: WebAssembly::Table = wasm_bindgen::function_table().dyn_into()?;
        let index = table.grow(1)?;
        table.set(index, function.unchecked_ref())?;
        assert_eq!(size_of::<F>(), size_of::<u32>());
        // SAFETY: on WebAssembly a function pointer is an index of the table, and `F` has its size.
        Ok(unsafe { std::mem::transmute_copy::<u32, F>(&index) })
    }

    /// Starts the threads beside this one. Returns how many compute, with this one.
    async fn start_threads(&self, kernels: &CpuKernels) -> Result<usize, JsValue> {
        let team: &'static Team = Box::leak(Box::new(Team::new()));
        let mut started = Vec::new();
        for index in 1..kernels.threads() {
            let thread = Object::new();
            let address = std::ptr::from_ref(team) as u32;
            for (name, value) in [
                ("module", self.module.clone()),
                ("memory", wasm_bindgen::memory()),
                ("team", address.into()),
                ("index", index.into()),
                ("stack", new_stack().into()),
            ] {
                Reflect::set(&thread, &name.into(), &value)?;
            }
            started.push(JsFuture::from(kernels.start(&thread)));
        }
        // Memory of each index is reserved, so that a thread that comes later does no harm.
        let count = 1 + started.len();
        let mut computing = 1;
        for start in started {
            match start.await {
                Ok(_) => computing += 1,
                Err(problem) => {
                    web_sys::console::warn_2(&"A thread of the CPU did not start.".into(), &problem)
                }
            }
        }
        let run = self.function("run")?;
        // SAFETY: the function is `run` of `cpu/module`, built from the same source as this module.
        let is_used =
            computing > 1 && unsafe { kernels::use_threads(Threads { team, run, count }) };
        Ok(if is_used { computing } else { 1 })
    }
}

/// Reserves a stack and returns the address of its end, which is aligned to 16 bytes.
fn new_stack() -> u32 {
    let end = Vec::leak(vec![0_u8; STACK]).as_mut_ptr_range().end as u32;
    end & !15
}
