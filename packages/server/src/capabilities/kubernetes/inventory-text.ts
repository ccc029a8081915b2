import { Fault, isFault } from '../../kernel/fault.ts';
import { apiVersionOf, type KubeResource } from '../../kube/resource.ts';
import type { KeptObject } from './kept-object.ts';

/** All objects of one kind as texts, ready to be put together. */
export interface KindTexts {
  readonly resource: KubeResource;
  /** Members `"name":{…}` by namespace; under `""` those of a kind without. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Characters of all of them. */
  readonly length: number;
}

export function kindTexts(resource: KubeResource, items: Iterable<readonly [string, KeptObject]>): KindTexts {
  const members = new Map<string, string[]>();
  let length = 0;
  for (const [key, { namespace = '', text }] of items) {
    const name = namespace === '' ? key : key.slice(namespace.length + 1);
    const member = `${JSON.stringify(name)}:${text}`;
    length += member.length;
    const neighbours = members.get(namespace);
    if (neighbours === undefined) members.set(namespace, [member]);
    else neighbours.push(member);
  }
  return { resource, members, length };
}

/** Objects by places, the inner ones as texts. */
type Tree = Map<string, Tree | string[]>;

/**
 * `<plural>.<namespace>.<name>`, and `<plural>.<name>` of what has no namespace, as kube-mgmt has it. Where two groups have the same
 * plural their objects stand together, which only works for kinds that are alike.
 */
export function opaLayout(kinds: readonly KindTexts[]): string | Fault {
  const tree: Tree = new Map();
  for (const { resource, members } of kinds) {
    const { plural, namespaced } = resource;
    const place = placeOf(tree, plural, namespaced);
    if (isFault(place)) return place;
    for (const [namespace, texts] of members) {
      if (Array.isArray(place)) place.push(...texts);
      else addTo(place, namespace, texts);
    }
  }
  return write(tree);
}

function placeOf(tree: Tree, plural: string, namespaced: boolean): Tree | string[] | Fault {
  const place = tree.get(plural) ?? (namespaced ? new Map<string, string[]>() : []);
  if (Array.isArray(place) === namespaced) {
    return new Fault(
      'PC_CAPABILITY_INPUT',
      `one of two kinds \`${plural}\` has namespaces and the other has not`,
    );
  }
  tree.set(plural, place);
  return place;
}

/** `cluster.<apiVersion>.<kind>.<name>` and `namespace.<namespace>.<apiVersion>.<kind>.<name>`. */
export function gatekeeperLayout(kinds: readonly KindTexts[]): string {
  const cluster: Tree = new Map();
  const namespaces: Tree = new Map();
  for (const { resource, members } of kinds) {
    const path = [apiVersionOf(resource), resource.kind];
    for (const [namespace, texts] of members) {
      const [tree, whole] = resource.namespaced ? [namespaces, [namespace, ...path]] : [cluster, path];
      addTo(branch(tree, whole.slice(0, -1)), resource.kind, texts);
    }
  }
  return `{"cluster":${write(cluster)},"namespace":${write(namespaces)}}`;
}

function branch(tree: Tree, path: readonly string[]): Tree {
  let node = tree;
  for (const key of path) {
    const next = (node.get(key) as Tree | undefined) ?? new Map<string, Tree | string[]>();
    node.set(key, next);
    node = next;
  }
  return node;
}

function addTo(tree: Tree, key: string, texts: readonly string[]): void {
  const known = tree.get(key) as string[] | undefined;
  if (known === undefined) tree.set(key, [...texts]);
  else for (const text of texts) known.push(text);
}

function write(tree: Tree | string[]): string {
  if (Array.isArray(tree)) return `{${tree.join(',')}}`;
  return `{${[...tree].map(([key, inner]) => `${JSON.stringify(key)}:${write(inner)}`).join(',')}}`;
}
