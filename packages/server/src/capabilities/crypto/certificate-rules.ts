import type { X509Certificate } from 'node:crypto';
import { readElements, readExtensions } from './read-extensions.ts';

const BASIC_CONSTRAINTS = '551d13';
/** Extensions whose rules are kept, here or by OpenSSL: beside those, key usage, its extension, names and policies. */
const UNDERSTOOD: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, '551d0f', '551d25', '551d11', '551d20']);
const INTEGER = 0x02;

/** Whether the certificate says nothing that must be kept and is not known here: name constraints, for one. */
export function isUnderstood({ raw }: X509Certificate): boolean {
  return readExtensions(raw)?.every(({ id, critical }) => !critical || UNDERSTOOD.has(id)) ?? false;
}

/** Whether it may stand above the one that was asked about, with so many intermediate ones between them. */
export function mayIssue({ ca, raw }: X509Certificate, between: number): boolean {
  if (!ca) return false;
  const extension = readExtensions(raw)?.find(({ id }) => id === BASIC_CONSTRAINTS);
  const [constraints] = extension === undefined ? [] : (readElements(extension.value) ?? []);
  const limit = readElements(constraints?.content ?? new Uint8Array(0))?.find(({ tag }) => tag === INTEGER);
  if (limit === undefined) return constraints !== undefined;
  return limit.content.reduce((value, byte) => value * 256 + byte, 0) >= between;
}
