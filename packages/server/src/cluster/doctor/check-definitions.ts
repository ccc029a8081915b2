import type { JsonObject, JsonValue } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import { isJsonArray, isJsonObject, jsonEqual } from '../../kernel/json/json-equal.ts';
import type { ClusterFacts, DefinitionFacts } from './cluster-facts.ts';
import { error, ok, warning, type Finding } from './finding.ts';

const INSTALL = 'apply the custom resource definitions of this version: `kubectl apply --server-side -f …`';

/** Are our custom resources known to the cluster, in the form of this version? */
export function checkDefinitions({ definitions }: ClusterFacts): Finding[] {
  const findings = definitions.flatMap(definitionFindings);
  if (findings.length === 0 && definitions.length > 0) {
    return [ok('definitions', `${definitions.length} custom resource definitions are established`)];
  }
  return findings;
}

function definitionFindings({ wanted, live }: DefinitionFacts): Finding[] {
  const name = textOf(field(wanted, 'metadata', 'name'));
  if (isFault(live)) {
    if (live.code === 'PC_KUBE_NOT_FOUND') {
      return [error('definitions', `the custom resource definition \`${name}\` is missing`, INSTALL)];
    }
    return [
      warning(
        'definitions',
        `the custom resource definition \`${name}\` cannot be read: ${live.message}`,
        live.advice,
      ),
    ];
  }
  const json = live as unknown as JsonObject;
  const established = list(field(json, 'status', 'conditions')).find(
    (condition) => field(condition, 'type') === 'Established',
  );
  if (field(established, 'status') !== 'True') {
    const why = textOf(field(established, 'message'));
    return [
      error(
        'definitions',
        `the custom resource definition \`${name}\` is not established${why === '' ? '' : `: ${why}`}`,
        'see `kubectl describe crd`; its names may be taken by another one',
      ),
    ];
  }
  return versionFindings(name, wanted, json);
}

function versionFindings(name: string, wanted: JsonObject, live: JsonObject): Finding[] {
  const versions = list(field(live, 'spec', 'versions'));
  return list(field(wanted, 'spec', 'versions')).flatMap((version): Finding[] => {
    const label = textOf(field(version, 'name'));
    const found = versions.find((candidate) => field(candidate, 'name') === label);
    if (found === undefined || field(found, 'served') !== true) {
      return [error('definitions', `\`${name}\` is not served in version \`${label}\``, INSTALL)];
    }
    const isSame = jsonEqual(field(found, 'schema') ?? null, field(version, 'schema') ?? null);
    if (isSame) return [];
    return [
      warning(
        'definitions',
        `the schema of \`${name}\` in version \`${label}\` is not the one of this version of Portcullis`,
        INSTALL,
      ),
    ];
  });
}

function field(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of path) {
    current = isJsonObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  }
  return current;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return isJsonArray(value) ? value : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
