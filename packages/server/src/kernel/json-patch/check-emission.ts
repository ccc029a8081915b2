import type { JsonPatch, JsonPatchOperation } from '@portcullis/contract';
import { Fault } from '../fault.ts';

/**
 * Whether the API server's applier reads a patch, known to be valid and to apply strictly, as the standard does. A fault says
 * where it would not; a patch can then be written anew as the difference between the object before and after it.
 */
export function checkEmission(patch: JsonPatch): Fault | undefined {
  for (const [index, operation] of patch.entries()) {
    const why = misread(operation);
    if (why !== undefined) {
      return new Fault('PC_PATCH_INVALID', `operation ${index} ${why}`, { data: { operation: index } });
    }
  }
  return undefined;
}

function misread(operation: JsonPatchOperation): string | undefined {
  const { op, path } = operation;
  // It compares bytes, so that `1` is not `1.0` and a string with `<` equals nothing.
  if (op === 'test') return 'is a test, which the API server compares by bytes';
  // Only `replace` works on the whole document.
  if (path === '' && op !== 'replace') return `is ${op} of the whole document, which the API server refuses`;
  if (op === 'copy' && operation.from === '')
    return 'is a copy of the whole document, which the API server refuses';
  return undefined;
}
