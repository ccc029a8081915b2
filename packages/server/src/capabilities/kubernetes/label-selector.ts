import { Fault } from '../../kernel/fault.ts';

export type Labels = Readonly<Record<string, string>>;

/** Reads `a=b, c!=d, e in (f, g), h notin (i), j, !k` as the API server does. */
export function parseLabelSelector(text: string): ((labels: Labels) => boolean) | Fault {
  const requirements: ((labels: Labels) => boolean)[] = [];
  for (const part of splitRequirements(text)) {
    const requirement = parseRequirement(part.trim());
    if (requirement === undefined) {
      return new Fault('PC_CAPABILITY_INPUT', `\`${part.trim()}\` is no requirement of a label selector`);
    }
    requirements.push(requirement);
  }
  return (labels) => requirements.every((holds) => holds(labels));
}

const KEY = String.raw`(?<key>[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?)`;
const VALUE = String.raw`(?<value>(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?)`;
const EXISTS = new RegExp(`^(?<not>!?)\\s*${KEY}$`);
const EQUALS = new RegExp(`^${KEY}\\s*(?<operator>==|=|!=)\\s*${VALUE}$`);
const SET = new RegExp(String.raw`^${KEY}\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$`);
const WHOLE_VALUE = new RegExp(`^${VALUE}$`);

/** At commas that are not inside of parentheses. */
function splitRequirements(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/);
}

function parseRequirement(text: string): ((labels: Labels) => boolean) | undefined {
  const exists = EXISTS.exec(text)?.groups;
  if (exists !== undefined) {
    const { key = '', not } = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === '');
  }
  const equals = EQUALS.exec(text)?.groups;
  if (equals !== undefined) return among(equals['key'], [equals['value'] ?? ''], equals['operator'] !== '!=');
  const set = SET.exec(text)?.groups;
  if (set === undefined) return undefined;
  const values = (set['values'] ?? '').split(',').map((value) => value.trim());
  if (!values.every((value) => WHOLE_VALUE.test(value))) return undefined;
  return among(set['key'], values, set['operator'] === 'in');
}

/** What has no such label is not among the values either. */
function among(
  key: string | undefined,
  values: readonly string[],
  wanted: boolean,
): (labels: Labels) => boolean {
  return (labels) =>
    (key !== undefined && Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')) === wanted;
}
