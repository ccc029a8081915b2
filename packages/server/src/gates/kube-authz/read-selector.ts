import type { JsonObject } from '@portcullis/contract';
import type { SpecReader } from '../spec-reader.ts';

const NEEDS_VALUES: ReadonlySet<string> = new Set(['In', 'NotIn']);
const FIELD_OPERATORS: ReadonlySet<string> = NEEDS_VALUES;
const LABEL_OPERATORS: ReadonlySet<string> = new Set([...NEEDS_VALUES, 'Exists', 'DoesNotExist']);

export function readFieldSelector(attributes: SpecReader | undefined): JsonObject | undefined {
  return readSelector(attributes?.object('fieldSelector'), FIELD_OPERATORS);
}

export function readLabelSelector(attributes: SpecReader | undefined): JsonObject | undefined {
  return readSelector(attributes?.object('labelSelector'), LABEL_OPERATORS);
}

/**
 * Its requirements; never the raw text, which readers understand differently. Requirements only narrow what is asked for, so one
 * that is not understood is left out, as the API server does: the question is then about more.
 */
function readSelector(
  selector: SpecReader | undefined,
  operators: ReadonlySet<string>,
): JsonObject | undefined {
  const requirements = selector?.objects('requirements').flatMap((item) => {
    const key = item.text('key');
    const operator = item.text('operator');
    const values = item.texts('values');
    if (key === '' || !operators.has(operator) || NEEDS_VALUES.has(operator) !== values.length > 0) return [];
    return [{ key, operator, ...(values.length === 0 ? {} : { values }) }];
  });
  return requirements === undefined || requirements.length === 0 ? undefined : { requirements };
}
