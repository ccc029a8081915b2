import type { JsonValue, LabelRequirement, LabelSelector } from '@portcullis/contract';

export type Labels = Readonly<Record<string, unknown>>;

/** Whether labels satisfy a selector; undefined for a selector that every set of labels satisfies. */
export type LabelMatcher = (labels: Labels) => boolean;

export function createLabelMatcher(selector: LabelSelector | undefined): LabelMatcher | undefined {
  if (selector === undefined) return undefined;
  const equalities = Object.entries(selector.matchLabels);
  const requirements = selector.matchExpressions;
  if (equalities.length === 0 && requirements.length === 0) return undefined;
  return (labels) => {
    for (const [key, value] of equalities) if (label(labels, key) !== value) return false;
    for (const requirement of requirements) if (!satisfies(labels, requirement)) return false;
    return true;
  };
}

/** As in Kubernetes, a label that is absent is not in any list. */
function satisfies(labels: Labels, { key, operator, values }: LabelRequirement): boolean {
  const value = label(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return operator satisfies never;
  }
}

/** An API server lets only texts through as values; anything else is no label. */
function label(labels: Labels, key: string): string | undefined {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const NONE: Labels = {};

/** The labels of a Kubernetes object; undefined when the value is not one (null, options of CONNECT). */
export function labelsOf(object: JsonValue | undefined): Labels | undefined {
  const metadata = member(object, 'metadata');
  if (!isMapping(metadata)) return undefined;
  const labels = member(metadata, 'labels');
  return isMapping(labels) ? labels : NONE;
}

function member(value: unknown, key: string): unknown {
  return isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
