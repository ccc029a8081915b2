import { z } from 'zod';
import { Fault, type FaultCode } from '../../kernel/fault.ts';
import { isRawNumber } from '../../kernel/json/exact-json.ts';
import { nearestWord } from '../../kernel/nearest-word.ts';
import { keysAt, pathsOfKey } from './schema-keys.ts';
import type { DocumentPath, Position } from './source-document.ts';
import { show } from './value-schemas.ts';

export interface DocumentPlace {
  /** File or resource, for people. */
  readonly location: string;
  readonly positionOf: (path: DocumentPath) => Position | undefined;
  /** Where the checked value stands in its document. */
  readonly path?: DocumentPath;
}

/** Problems that one message tells; more only make it unreadable. */
const MAX_TOLD = 5;

/** Problems whose place is looked for, which takes a walk through the document each. */
const MAX_LOCATED = 50;

/** A value by a schema: its output, or one fault that tells every problem with position and path, in the order of the text. */
export function checkDocument<S extends z.ZodType>(
  schema: S,
  value: unknown,
  place: DocumentPlace,
): z.output<S> | Fault {
  const result = schema.safeParse(value, { error: (issue) => describeIssue(issue) });
  if (result.success) return result.data;
  const problems = withoutConsequences(result.error.issues).flatMap(problemsOf);
  const located = problems
    .slice(0, MAX_LOCATED)
    .map(({ code, path, text }) => {
      const whole = [...(place.path ?? []), ...path];
      return { code, path: whole, text: text(schema), position: place.positionOf(whole) };
    })
    .sort((a, b) => offset(a.position) - offset(b.position));
  return faultOf(located, problems.length, place.location);
}

interface Problem {
  readonly code: FaultCode;
  readonly path: DocumentPath;
  readonly text: string;
  readonly position: Position | undefined;
}

/** A mistyped key is told as such, not also as what its mapping lacks. */
function withoutConsequences(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const mistyped = issues
    .filter(({ code }) => code === 'unrecognized_keys')
    .map(({ path }) => formatPath(path));
  return issues.filter(({ code, path }) => code !== 'custom' || !mistyped.includes(formatPath(path)));
}

function offset(position: Position | undefined): number {
  return position === undefined ? 0 : position.line * 1e6 + position.column;
}

function faultOf(problems: readonly Problem[], count: number, location: string): Fault {
  const [first] = problems;
  if (first === undefined) throw new TypeError('a refused document without a problem');
  const told = problems.slice(0, MAX_TOLD).map((problem) => tell(problem, location));
  if (count > told.length) told.push(`and ${count - told.length} more`);
  const { code, path, position } = first;
  return new Fault(code, told.join('; '), { data: { ...position, path: formatPath(path) } });
}

function tell({ path, text, position }: Problem, location: string): string {
  const where = position === undefined ? location : `${location}:${position.line}:${position.column}`;
  return [where, formatPath(path), text].filter((part) => part !== '').join(': ');
}

/** `spec.match.operations[0]`, `spec.settings["a.b"]`. */
export function formatPath(path: DocumentPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w-]+$/.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

interface Finding {
  readonly code: FaultCode;
  readonly path: DocumentPath;
  readonly text: (schema: z.ZodType) => string;
}

function problemsOf(issue: z.core.$ZodIssue): readonly Finding[] {
  if (issue.code !== 'unrecognized_keys') {
    const code = issue.code === 'custom' ? (issue.params?.['fault'] as FaultCode | undefined) : undefined;
    return [{ code: code ?? 'PC_POLICY_VALUE', path: issue.path, text: () => issue.message }];
  }
  return issue.keys.map((key) => ({
    code: 'PC_POLICY_KEY',
    path: [...issue.path, key],
    text: (schema) => `unknown key${suggestKey(key, issue.path, schema)}`,
  }));
}

function suggestKey(key: string, path: DocumentPath, schema: z.ZodType): string {
  const known = keysAt(schema, path);
  const near = nearestWord(key, known);
  if (near !== undefined) return `, did you mean \`${near}\`?`;
  const [elsewhere] = pathsOfKey(schema, key);
  if (elsewhere !== undefined) return `, did you mean \`${formatPath(elsewhere)}\`?`;
  return `, known here: ${known.map((name) => `\`${name}\``).join(', ')}`;
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
};

function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected, issue.input);
    case 'invalid_value':
      return describeChoice(issue.values, issue.input);
    case 'too_small':
      return issue.origin === 'array' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array'
        ? `must have at most ${issue.maximum} entries`
        : `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

function describeType(expected: string, input: unknown): string {
  if (input === undefined) return 'is required';
  const wanted = NAMES[expected] ?? expected;
  if (expected === 'int' && typeof input === 'number')
    return `must be a whole number, not ${show(String(input))}`;
  if (expected === 'string' && typeof input !== 'object')
    return `must be a text, not ${typeName(input)}: put it in quotes`;
  return `must be ${wanted}, not ${typeName(input)}`;
}

function typeName(input: unknown): string {
  if (input === null) return 'null';
  if (isRawNumber(input)) return `the number ${show(input.rawJSON)}`;
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'string') return `the text ${show(input)}`;
  return typeof input === 'number' || typeof input === 'boolean'
    ? `the ${typeof input} ${show(String(input))}`
    : 'a mapping';
}

function describeChoice(values: readonly unknown[], input: unknown): string {
  if (input === undefined) return 'is required';
  const choices = values.map(String);
  const list = choices.map((choice) => `\`${choice}\``);
  const wanted = list.length === 1 ? `must be ${list[0]}` : `must be one of ${list.join(', ')}`;
  const near = typeof input === 'string' && list.length > 1 ? nearestWord(input, choices) : undefined;
  return `${wanted}, not ${typeName(input)}${near === undefined ? '' : `, did you mean \`${near}\`?`}`;
}
