// Reads two facts from the binary format of WebAssembly: the first instruction of each exported function, and whether
// the module has function names.

const CUSTOM = 0;
const EXPORT = 7;
const IMPORT = 2;
const CODE = 10;
const CALL = 0x10;
const FUNCTION = 0;

/**
 * For each exported function, the index of the function that its first instruction calls, or null.
 * @param {Uint8Array} bytes
 * @returns {Map<string, number|null>}
 */
export function firstCalls(bytes) {
  const found = sections(bytes);
  const imported = importedFunctions(reader(found.get(IMPORT) ?? new Uint8Array([0])));
  const bodies = functionBodies(reader(found.get(CODE) ?? new Uint8Array([0])));
  const exported = reader(found.get(EXPORT) ?? new Uint8Array([0]));
  /** @type {Map<string, number|null>} */
  const calls = new Map();
  for (let left = exported.number(); left > 0; left -= 1) {
    const name = new TextDecoder().decode(exported.take(exported.number()));
    const kind = exported.byte();
    const body = bodies[exported.number() - imported];
    if (kind === FUNCTION && body) calls.set(name, firstCall(reader(body)));
  }
  return calls;
}

/**
 * Whether the module has a name section: development builds have one, release builds do not.
 * @param {Uint8Array} bytes
 */
export function hasNames(bytes) {
  const whole = reader(bytes);
  whole.take(8); // magic number and version
  while (!whole.done()) {
    const id = whole.byte();
    const section = reader(whole.take(whole.number()));
    if (id === CUSTOM && new TextDecoder().decode(section.take(section.number())) === 'name') return true;
  }
  return false;
}

/** @param {Uint8Array} bytes */
function sections(bytes) {
  const whole = reader(bytes);
  whole.take(8); // magic number and version
  /** @type {Map<number, Uint8Array>} */
  const found = new Map();
  while (!whole.done()) {
    const id = whole.byte();
    found.set(id, whole.take(whole.number()));
  }
  return found;
}

/** @param {ReturnType<typeof reader>} section */
function importedFunctions(section) {
  let functions = 0;
  for (let left = section.number(); left > 0; left -= 1) {
    section.take(section.number());
    section.take(section.number());
    const kind = section.byte();
    if (kind === FUNCTION) {
      functions += 1;
      section.number();
    } else if (kind === 1) {
      section.byte();
      limits(section);
    } else if (kind === 2) {
      limits(section);
    } else {
      section.take(2);
    }
  }
  return functions;
}

/** Skips the limits of a table or a memory. @param {ReturnType<typeof reader>} section */
function limits(section) {
  const bounded = (section.byte() & 1) === 1;
  section.number();
  if (bounded) section.number();
}

/** @param {ReturnType<typeof reader>} section */
function functionBodies(section) {
  const bodies = [];
  for (let left = section.number(); left > 0; left -= 1) bodies.push(section.take(section.number()));
  return bodies;
}

/** @param {ReturnType<typeof reader>} body */
function firstCall(body) {
  for (let groups = body.number(); groups > 0; groups -= 1) {
    body.number();
    body.byte();
  }
  return body.byte() === CALL ? body.number() : null;
}

/** @param {Uint8Array} bytes */
function reader(bytes) {
  let at = 0;
  const byte = () => bytes[at++] ?? 0;
  return {
    byte,
    /** LEB128, unsigned. */
    number() {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const next = byte();
        value += (next & 0x7f) * 2 ** shift;
        if (next < 0x80) return value;
      }
    },
    /** @param {number} length */
    take(length) {
      at += length;
      return bytes.subarray(at - length, at);
    },
    done: () => at >= bytes.length,
  };
}
