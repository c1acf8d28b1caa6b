// Reads an f32 safetensors file, for libraries without a reader.

/** @typedef {{shape: number[], values: Float32Array<ArrayBuffer>}} Weights */

/**
 * @param {Uint8Array} file
 * @returns {Map<string, Weights>}
 */
export function read(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const body = 8 + Number(view.getBigUint64(0, true));
  /** @type {Record<string, {shape: number[], data_offsets: [number, number]}>} */
  const { __metadata__: _, ...header } = JSON.parse(new TextDecoder().decode(file.subarray(8, body)));
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        // Copies, because a Float32Array view requires an offset that is a multiple of four.
        const values = new Float32Array(new Uint8Array(file.subarray(body + from, body + to)).buffer);
        return [name, { shape, values }];
      },
    ),
  );
}
