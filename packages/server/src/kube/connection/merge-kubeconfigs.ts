import { parseDocument } from 'yaml';
import { Fault, isFault } from '../../kernel/fault.ts';
import {
  KUBECONFIG_SCHEMA,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigContext,
  type KubeconfigUser,
} from './kubeconfig-schema.ts';

export interface KubeconfigFile {
  /** Absolute: relative paths in it start from its folder. */
  readonly path: string;
  readonly text: string;
}

/** An entry, and the file that it is from. */
export interface Sourced<T> {
  readonly name: string;
  readonly path: string;
  readonly value: T;
}

export interface MergedKubeconfig {
  readonly clusters: ReadonlyMap<string, Sourced<KubeconfigCluster>>;
  readonly users: ReadonlyMap<string, Sourced<KubeconfigUser>>;
  readonly contexts: ReadonlyMap<string, Sourced<KubeconfigContext>>;
  readonly currentContext: string | undefined;
}

/** As kubectl merges the files of `KUBECONFIG`: the first file that has an entry gives the whole of it. */
export function mergeKubeconfigs(files: readonly KubeconfigFile[]): MergedKubeconfig | Fault {
  const clusters = new Map<string, Sourced<KubeconfigCluster>>();
  const users = new Map<string, Sourced<KubeconfigUser>>();
  const contexts = new Map<string, Sourced<KubeconfigContext>>();
  let currentContext: string | undefined;
  for (const { path, text } of files) {
    const parsed = parseKubeconfigFile(path, text);
    if (isFault(parsed)) return parsed;
    const problem =
      add(
        clusters,
        parsed.clusters.map((entry) => [entry.name, entry.cluster]),
        path,
      ) ??
      add(
        users,
        parsed.users.map((entry) => [entry.name, entry.user]),
        path,
      ) ??
      add(
        contexts,
        parsed.contexts.map((entry) => [entry.name, entry.context]),
        path,
      );
    if (problem !== undefined) return problem;
    currentContext ??= parsed['current-context'];
  }
  return { clusters, users, contexts, currentContext };
}

function parseKubeconfigFile(path: string, text: string): Kubeconfig | Fault {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  // The library's texts may quote the line, and a line may hold a token.
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    return new Fault('PC_KUBE_CONFIG', `\`${path}\` is not well-formed YAML at line ${line}`);
  }
  const parsed = KUBECONFIG_SCHEMA.safeParse(toJs(document) ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  return new Fault('PC_KUBE_CONFIG', `\`${path}\` cannot be used: \`${where}\` has the wrong type or value`);
}

function toJs(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return 'aliases beyond reason';
  }
}

function add<T>(
  known: Map<string, Sourced<T>>,
  entries: readonly (readonly [name: string, value: T | undefined])[],
  path: string,
): Fault | undefined {
  const own = new Set<string>();
  for (const [name, value] of entries) {
    if (own.has(name))
      return new Fault('PC_KUBE_CONFIG', `\`${path}\` has two entries with the name \`${name}\``);
    own.add(name);
    if (!known.has(name)) known.set(name, { name, path, value: value ?? ({} as T) });
  }
  return undefined;
}
