import { equal } from 'node:assert/strict';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at } from './kubernetes-objects.ts';

/** What an API server writes by itself, whenever it likes. */
const PASSING = ['Event', 'ComponentStatus'];
const OWN_LEASES = /^Lease kube-system\/apiserver-/;

/** Every object that the API server has, as `Kind namespace/name`, sorted. */
export async function listEverything({ kubectl }: KubeApiserver): Promise<readonly string[]> {
  const names = await kubectl(['api-resources', '--verbs=list', '--output=name', '--cached=false']);
  equal(names.code, 0, names.stderr);
  const resources = names.stdout.trim().split('\n').join(',');
  const found = await kubectl(['get', resources, '--all-namespaces', '--output=json']);
  equal(found.code, 0, found.stderr);
  const items: unknown = at(JSON.parse(found.stdout), 'items');
  if (!Array.isArray(items)) throw new Error('kubectl printed no list');
  const lines = items
    .filter((item) => !PASSING.includes(text(item, 'kind')))
    .map(
      (item) =>
        `${text(item, 'kind')} ${text(item, 'metadata', 'namespace')}/${text(item, 'metadata', 'name')}`,
    )
    .filter((line) => !OWN_LEASES.test(line));
  return [...new Set(lines)].sort();
}

function text(item: unknown, ...path: readonly string[]): string {
  const value = at(item, ...path);
  return typeof value === 'string' ? value : '';
}
