import type { JsonDocument, JsonObject, JsonValue } from '@portcullis/contract';
import { createJsonDocument, jsonDocumentOf } from '../../kernel/json/json-document.ts';

/** An AdmissionRequest of which another version can be made by exchanging `object`, every other byte left as it arrived. */
export interface AdmissionRequestDocument extends JsonDocument {
  withObject(object: JsonDocument): AdmissionRequestDocument;
}

/** Offsets are those of the value of `object` in the bytes. */
export function createRequestDocument(
  bytes: Uint8Array,
  object: { readonly start: number; readonly end: number },
  hasLongNumber: boolean,
): AdmissionRequestDocument {
  const document = createJsonDocument(bytes, hasLongNumber);
  return {
    bytes,
    value: () => document.value(),
    withObject(changed) {
      return splice(document, bytes.subarray(0, object.start), changed, bytes.subarray(object.end));
    },
  };
}

/** Any AdmissionRequest with another object. */
export function exchangeObject(request: JsonDocument, object: JsonDocument): JsonDocument {
  if ('withObject' in request) return (request as AdmissionRequestDocument).withObject(object);
  return jsonDocumentOf(withMember(request.value(), object.value()));
}

function splice(
  original: JsonDocument,
  before: Uint8Array,
  object: JsonDocument,
  after: Uint8Array,
): AdmissionRequestDocument {
  let bytes: Uint8Array | undefined;
  let value: JsonValue | undefined;
  return {
    get bytes() {
      bytes ??= Buffer.concat([before, object.bytes, after]);
      return bytes;
    },
    value() {
      value ??= withMember(original.value(), object.value());
      return value;
    },
    withObject: (changed) => splice(original, before, changed, after),
  };
}

function withMember(request: JsonValue, object: JsonValue): JsonValue {
  return { ...(request as JsonObject), object };
}
