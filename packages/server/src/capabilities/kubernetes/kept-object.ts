import { isRecord, type KubeObject } from '../../kube/kube-object.ts';
import { maskFields, type FieldMask } from './field-mask.ts';
import type { Labels } from './label-selector.ts';

/** What is kept of an object that policies read: its text, which is shorter than its tree and needs no writing again. */
export interface KeptObject {
  readonly namespace: string | undefined;
  readonly labels: Labels;
  /** JSON without `metadata.managedFields`, which is for the API server. */
  readonly text: string;
  readonly bytes: number;
  /** By the key of the mask. */
  readonly masked: Map<string, string>;
}

/** Beside the text. */
const OVERHEAD = 256;
/** Masks that are remembered for each object; policies have one each, mostly the same. */
const MAX_MASKS = 4;
/** Strings take one byte for each character, or two. */
const WIDE = /[\u0100-\uffff]/;

export function keepObject(object: KubeObject): KeptObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const text = JSON.stringify({ ...object, metadata });
  const { namespace, labels = {} } = metadata;
  const bytes = text.length * (WIDE.test(text) ? 2 : 1) + OVERHEAD;
  return { namespace, labels, text, bytes, masked: new Map() };
}

export interface NamedMask {
  readonly key: string;
  readonly mask: FieldMask;
}

/** The text of what the mask lets through. Masked ones are kept too, as long as they are small beside the whole. */
export function maskedText(object: KeptObject, named: NamedMask | undefined): string {
  if (named === undefined) return object.text;
  const known = object.masked.get(named.key);
  if (known !== undefined) return known;
  const parsed: unknown = JSON.parse(object.text);
  const text = JSON.stringify(isRecord(parsed) ? maskFields(parsed, named.mask) : {});
  if (object.masked.size < MAX_MASKS && text.length * MAX_MASKS <= object.text.length) {
    object.masked.set(named.key, text);
  }
  return text;
}
