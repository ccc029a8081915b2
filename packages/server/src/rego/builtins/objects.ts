import { createSet, getMember, isEqual, sortedEntries } from '../values/compare-values.ts';
import { jsonText } from '../values/json-values.ts';
import {
  isArray,
  isObject,
  RegoSet,
  type RegoArray,
  type RegoObject,
  type RegoValue,
} from '../values/rego-value.ts';
import type { Builtin } from './builtin.ts';
import { charged, chargeValue, type Charge } from './charge.ts';
import { patchValue } from './json-patch.ts';
import { array, fail, flag, items, object, text } from './operands.ts';

const MAX_PATHS = 10_000;

export const OBJECTS: Readonly<Record<string, Builtin>> = {
  'json.patch': (args, { charge }) => patchValue(args[0] ?? null, array(args, 1), charge),

  'json.marshal_with_options': (args, { charge }) => {
    const { isPretty, prefix, indent } = marshalOptions(object(args, 1));
    const compact = jsonText(args[0] ?? null);
    charged(charge, compact.length * 4);
    if (!isPretty) return compact;
    return prefix + pretty(args[0] ?? null, { indent, lead: `\n${prefix}`, charge });
  },

  'object.subset': ([whole, part], { charge }) => {
    const subset = isSubset(whole ?? null, part ?? null, charge);
    return subset ?? fail('both arguments object.subset must be of the same type or array and set');
  },

  'graph.reachable_paths': (args, { charge }) => {
    const graph = object(args, 0);
    const paths: RegoValue[][] = [];
    const walk = (path: readonly RegoValue[], node: RegoValue): void => {
      charge(path.length * 4 + 16 + lookUp(graph, node));
      const edges = getMember(graph, node);
      if (edges === undefined) return void paths.push([...path]);
      const longer = [...path, node];
      const neighbours = vertices(edges);
      if (neighbours.length === 0) return void paths.push(longer);
      for (const neighbour of neighbours) {
        if (paths.length > MAX_PATHS) fail('too many paths');
        charge(longer.length);
        if (longer.some((known) => isEqual(known, neighbour))) paths.push(longer);
        else walk(longer, neighbour);
      }
    };
    for (const root of items(args, 1)) {
      charge(lookUp(graph, root));
      if (getMember(graph, root) !== undefined) walk([], root);
    }
    return createSet(paths);
  },
};

/** Keys that are no strings are looked for one by one. */
function lookUp(whole: RegoObject, key: RegoValue): number {
  return typeof key === 'string' || whole.has(key) ? 1 : whole.size;
}

function vertices(edges: RegoValue): RegoArray {
  if (edges instanceof RegoSet) return edges.members;
  return isArray(edges) ? edges : [];
}

function marshalOptions(options: RegoObject): { isPretty: boolean; prefix: string; indent: string } {
  for (const key of options.keys()) {
    if (key !== 'pretty' && key !== 'prefix' && key !== 'indent') fail('object contained unknown key');
  }
  const [prefix, indent, isPretty] = [options.get('prefix'), options.get('indent'), options.get('pretty')];
  return {
    isPretty: isPretty === undefined ? options.size > 0 : flag([isPretty], 0),
    prefix: prefix === undefined ? '' : text([prefix], 0),
    indent: indent === undefined ? '\t' : text([indent], 0),
  };
}

function pretty(
  value: RegoValue,
  layout: { readonly indent: string; readonly lead: string; readonly charge: Charge },
): string {
  const { indent, lead, charge } = layout;
  const inner = { ...layout, lead: lead + indent };
  const list = value instanceof RegoSet ? value.members : value;
  const wrap = (open: string, lines: readonly string[], close: string): string => {
    for (const line of lines) charged(charge, line.length + inner.lead.length);
    if (lines.length === 0) return open + close;
    return open + lines.map((line) => inner.lead + line).join(',') + lead + close;
  };
  if (isArray(list))
    return wrap(
      '[',
      list.map((item) => pretty(item, inner)),
      ']',
    );
  if (!isObject(value)) return jsonText(value);
  const lines = sortedEntries(value).map(
    ([key, item]) =>
      `${JSON.stringify(typeof key === 'string' ? key : jsonText(key))}: ${pretty(item, inner)}`,
  );
  return wrap('{', lines, '}');
}

/** Objects and arrays member by member, sets as a whole; undefined for a pair of types that cannot be compared. */
function isSubset(whole: RegoValue, part: RegoValue, charge: Charge): boolean | undefined {
  charge(4);
  if (isObject(whole) && isObject(part)) {
    return [...part].every(([key, value]) => {
      charge(lookUp(whole, key));
      chargeValue(charge, value);
      const found = getMember(whole, key);
      if (found === undefined) return false;
      return isEqual(found, value) || isSubset(found, value, charge) === true;
    });
  }
  const members = whole instanceof RegoSet || isArray(whole) ? vertices(whole) : undefined;
  if (part instanceof RegoSet && members !== undefined) {
    for (const _ of part.members) chargeValue(charge, members);
    return part.members.every((item) => members.some((member) => isEqual(member, item)));
  }
  return isArray(whole) && isArray(part) ? isWithin(whole, part, charge) : undefined;
}

/** Somewhere in a row, as OPA searches: after a mismatch it goes on one place later. */
function isWithin(whole: RegoArray, part: RegoArray, charge: Charge): boolean {
  for (const _ of part) chargeValue(charge, whole);
  return (
    whole.some(
      (_, start) =>
        start + part.length <= whole.length &&
        part.every((item, index) => isEqual(whole[start + index] as RegoValue, item)),
    ) || part.length === 0
  );
}
