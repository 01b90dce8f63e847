/** Bytes without platform objects: floor 0 has no TextEncoder, Buffer or atob. */

/** The value of a lowercase hex digit by its UTF-16 code; -1 for everything else. */
const digitOf = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit += 1) digitOf[digit.toString(16).charCodeAt(0)] = digit;

/** Writes the bytes of lowercase hex at `offset`; false, with anything written, where the text is no such hex or too long. */
export function writeHex(bytes: Uint8Array, offset: number, text: string): boolean {
  const length = text.length / 2;
  if (!Number.isInteger(length) || offset + length > bytes.length) return false;
  let faults = 0;
  for (let index = 0; index < length; index += 1) {
    const high = digitOf[text.charCodeAt(2 * index)] ?? -1;
    const low = digitOf[text.charCodeAt(2 * index + 1)] ?? -1;
    faults |= high | low;
    bytes[offset + index] = (high << 4) | low;
  }
  return faults >= 0;
}

/** The bytes of lowercase hex, or undefined for an odd length, an upper-case digit or anything else. */
export function decodeHex(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length >> 1);
  return writeHex(bytes, 0, text) ? bytes : undefined;
}

/** UTF-8 of well-formed text (RFC 3629). The caller has checked `isWellFormed`. */
export function encodeUtf8(text: string): Uint8Array {
  // Three bytes per UTF-16 unit is the most UTF-8 needs: a pair of surrogates takes four for two units.
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[length++] = unit;
    } else if (unit < 0x800) {
      bytes[length++] = 0xc0 | (unit >> 6);
      bytes[length++] = 0x80 | (unit & 0x3f);
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
      const point = 0x10000 + ((unit - 0xd800) << 10) + (text.charCodeAt(++index) - 0xdc00);
      bytes[length++] = 0xf0 | (point >> 18);
      bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else {
      bytes[length++] = 0xe0 | (unit >> 12);
      bytes[length++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[length++] = 0x80 | (unit & 0x3f);
    }
  }
  return bytes.subarray(0, length);
}

/** Whether two byte strings are the same. Not constant time: nothing compared here is secret. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
