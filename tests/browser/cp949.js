// Text as bytes of CP949, the encoding of Korean spreadsheets, which the platform decodes and does not encode.

/** The decoder of Node has the part of CP949 that is EUC-KR; this character is outside of it. */
const ONLY_IN_CP949 = /** @type {const} */ (['똠', [0x8c, 0x63]]);
/** The two bytes of each character, made when first used. @type {Map<string, readonly number[]>} */
const codes = new Map();

/** @param {string} text */
export function cp949(text) {
  if (codes.size === 0) fill();
  return Buffer.from(
    [...text].flatMap((character) => {
      if (character < '\x80') return [character.charCodeAt(0)];
      const bytes = codes.get(character);
      if (!bytes) throw new Error(`CP949 has no ${character}`);
      return bytes;
    }),
  );
}

function fill() {
  const decoder = new TextDecoder('euc-kr');
  codes.set(...ONLY_IN_CP949);
  for (let lead = 0xa1; lead <= 0xfe; lead += 1) {
    for (let trail = 0xa1; trail <= 0xfe; trail += 1) {
      const character = decoder.decode(Uint8Array.of(lead, trail));
      if ([...character].length === 1 && character !== '\ufffd') codes.set(character, [lead, trail]);
    }
  }
}
