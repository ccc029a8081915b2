/** Standard padded base64 without the white space that YAML blocks and GNU `base64` put in; undefined when it is something else. */
export function normalizeBase64(text: string): string | undefined {
  const packed = text.replace(/[ \t\r\n]+/g, '');
  if (packed.length % 4 !== 0 || /[^A-Za-z0-9+/=]/.test(packed)) return undefined;
  const padding = packed.indexOf('=');
  return padding === -1 ||
    padding === packed.length - 1 ||
    (padding === packed.length - 2 && packed.endsWith('=='))
    ? packed
    : undefined;
}
