import type { z } from 'zod';
import { Fault } from '../../kernel/fault.ts';
import { configKeys, CONFIG_SECTION, type ConfigSection } from './config-keys.ts';
import { treeOf, type ConfigLayer, type Setting } from './config-layer.ts';
import { configSchema, type ConfigValues } from './config-schema.ts';
import { nearestWord } from '../../kernel/nearest-word.ts';

type Issue = z.core.$ZodIssue;

/** Holds the merged layers to the schema. The fault lists every problem, one a line, each with place and key. */
export function checkConfig(layer: ConfigLayer): ConfigValues | Fault {
  const result = configSchema.safeParse(treeOf(layer), { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const lines = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(layer, [...issue.path, key]))
      : [`${placeOf(layer, issue.path)}\`${issue.path.join('.')}\` ${problemOf(issue)}`],
  );
  const code = issues.some((issue) => issue.code === 'unrecognized_keys')
    ? 'PC_CONFIG_KEY'
    : 'PC_CONFIG_VALUE';
  return new Fault(code, lines.join('\n'));
}

function unknownKey(layer: ConfigLayer, path: readonly PropertyKey[]): string {
  const nearest = suggestionFor(path);
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  return `${placeOf(layer, path)}unknown key \`${path.join('.')}\`${hint}`;
}

/** A sibling of a similar name, else the one key of the same name elsewhere. */
function suggestionFor(path: readonly PropertyKey[]): string | undefined {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1).map(String);
  const siblings = siblingsAt(CONFIG_SECTION, parent);
  const sibling = nearestWord(name, siblings);
  if (sibling !== undefined) return [...parent, sibling].join('.');
  const elsewhere = configKeys().filter((key) => key.path.at(-1) === name);
  return elsewhere.length === 1 ? elsewhere[0]?.name : undefined;
}

function siblingsAt(section: ConfigSection, path: readonly string[]): readonly string[] {
  const [first, ...rest] = path;
  if (first === undefined) return [...section.sections.keys(), ...section.keys.keys()];
  const inner = section.sections.get(first);
  return inner === undefined
    ? ['name', 'role', 'sha256', 'labels', 'registry', 'endpoints']
    : siblingsAt(inner, rest);
}

function placeOf({ settings }: ConfigLayer, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const setting: Setting | undefined = settings.get(path.slice(0, length).join('.'));
    if (setting !== undefined) return `${setting.where(path)}: `;
  }
  const below = settings
    .values()
    .find((setting) => path.every((part, index) => setting.path[index] === part));
  return below === undefined ? '' : `${below.where(path)}: `;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

const SECRET_PATHS: readonly (readonly string[])[] = configKeys()
  .filter(({ isSecret }) => isSecret)
  .map(({ path }) => path);

function problemOf(issue: Issue): string {
  const isSecret = SECRET_PATHS.some((path) => path.every((part, index) => issue.path[index] === part));
  // A secret that was written in a wrong form is still one.
  const shown = isSecret ? (): string => '' : valueOf;
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}${shown(issue.input)}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}${shown(issue.input)}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'must not be empty'
        : `must be at least ${issue.minimum}${shown(issue.input)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${shown(issue.input)}`;
    case 'invalid_format':
      return issue.format === 'url'
        ? `must be a URL such as \`https://gates.example\`${shown(issue.input)}`
        : issue.message;
    case 'invalid_union':
      return 'must be a text or a number';
    default:
      return issue.message;
  }
}

function valueOf(input: unknown): string {
  return typeof input === 'string' || typeof input === 'number' || typeof input === 'boolean'
    ? `, not \`${String(input)}\``
    : '';
}
