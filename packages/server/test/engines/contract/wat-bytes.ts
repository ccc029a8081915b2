/** Bytes as they stand in the text form of a module. */
export function watBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
}
