import type { JsonValue } from '@portcullis/contract';
import type { Fault } from '../fault.ts';
import { createJsonDocument } from './json-document.ts';
import { createJsonShape } from './json-shape.ts';
import { createJsonScanner } from './scan-json.ts';

const scanner = createJsonScanner(createJsonShape({}));

/** The exact value of foreign bytes, under the strict rules of the scanner. Faults have `PC_REVIEW_…` codes. */
export function parseJson(bytes: Uint8Array): JsonValue | Fault {
  const { fault, hasLongNumber } = scanner.scan(bytes);
  return fault ?? createJsonDocument(bytes, hasLongNumber).value();
}
