//! Reads and changes parts of a WebAssembly module: its memory's type, and whether it has data.

use wasmparser::{Import, Parser, Payload, TypeRef};

/// Bit 1 of the flags of a memory's limits: the memory is shared.
const SHARED: u8 = 0b10;

/// Returns the module with the import of a shared memory in place of one that is not: its instructions are valid for
/// both. None if the module imports no memory with a maximum, which a shared one has, or one with more than `pages` at
/// first.
pub fn shared(mut module: Vec<u8>, pages: u32) -> Option<Vec<u8>> {
    let (start, import) = memory_import(&module)?;
    let TypeRef::Memory(memory) = import.ty else {
        return None;
    };
    memory.maximum?;
    // An import is its two names, each behind its length, the kind, and the type, which begins with the flags. A name
    // of less than 128 bytes has its length in one byte.
    let names = [import.module, import.name];
    let is_long = names.iter().any(|name| name.len() >= 128);
    if memory.shared || memory.initial > u64::from(pages) || is_long {
        return None;
    }
    let flags = start + names.map(|name| 1 + name.len()).iter().sum::<usize>() + 1;
    *module.get_mut(flags)? |= SHARED;
    Some(module)
}

/// The import of a memory, and where it begins.
fn memory_import(module: &[u8]) -> Option<(usize, Import<'_>)> {
    Parser::new(0).parse_all(module).find_map(|payload| {
        let Ok(Payload::ImportSection(imports)) = payload else {
            return None;
        };
        imports
            .into_imports_with_offsets()
            .flatten()
            .find(|(_, import)| matches!(import.ty, TypeRef::Memory(_)))
    })
}

/// Whether a module has data, or cannot be read.
pub fn has_data(module: &[u8]) -> bool {
    Parser::new(0)
        .parse_all(module)
        .any(|payload| matches!(payload, Err(_) | Ok(Payload::DataSection(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

    /// A module that imports `env.memory` with these flags, 17 pages and at most 300.
    fn importing(flags: u8) -> Vec<u8> {
        let mut module = HEADER.to_vec();
        // A custom section before it, which contains what looks like the import.
        module.extend([0, 5, 1, b'n', 2, 3, 17]);
        module.extend([2, 17, 1, 3]);
        module.extend(b"env\x06memory");
        module.extend([2, flags, 17, 0xac, 0x02]);
        module
    }

    #[test]
    fn a_memory_becomes_a_shared_one() {
        assert_eq!(shared(importing(0b01), 17), Some(importing(0b11)));
    }

    #[test]
    fn a_module_that_does_not_fit_is_refused() {
        assert_eq!(shared(importing(0b01), 16), None);
        assert_eq!(shared(importing(0b11), 17), None);
        assert_eq!(shared(HEADER.to_vec(), 17), None);
    }

    #[test]
    fn data_is_found_behind_other_sections() {
        let mut module = HEADER.to_vec();
        module.extend([0, 3, 1, b'n', 11]);
        assert!(!has_data(&module));
        module.extend([11, 1, 0]);
        assert!(has_data(&module));
        assert!(has_data(&module[..module.len() - 1]));
    }
}
