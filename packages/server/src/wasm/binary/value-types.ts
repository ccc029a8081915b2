/** One-byte value types that a policy may use. */
export const VALUE_TYPE = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
  exnref: 0x69,
} as const;

const NAMES = new Map<number, string>(Object.entries(VALUE_TYPE).map(([name, code]) => [code, name]));

/** Codes that newer proposals use for types, with the proposal's name. */
const REFUSED = new Map<number, string>([
  [0x63, 'typed function references'],
  [0x64, 'typed function references'],
  ...[0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x78, 0x77].map(
    (code) => [code, 'garbage collection types'] as const,
  ),
  [0x74, 'exception reference null types'],
  [0x68, 'stack switching'],
  [0x75, 'stack switching'],
]);

export function valueTypeName(code: number): string | undefined {
  return NAMES.get(code);
}

export function refusedTypeFeature(code: number): string | undefined {
  return REFUSED.get(code);
}

export function isReferenceType(code: number): boolean {
  return code === VALUE_TYPE.funcref || code === VALUE_TYPE.externref || code === VALUE_TYPE.exnref;
}
