import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../kernel/fault.ts';
import { EVENTS, LEASES, kubePath, type KubeResource } from './resource.ts';

const NODES: KubeResource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

test('paths of objects and collections', () => {
  assert.equal(kubePath({ resource: NODES }), '/api/v1/nodes');
  assert.equal(kubePath({ resource: NODES, name: 'a', subresource: 'status' }), '/api/v1/nodes/a/status');
  assert.equal(kubePath({ resource: LEASES }), '/apis/coordination.k8s.io/v1/leases');
  assert.equal(
    kubePath({ resource: EVENTS, namespace: 'a b', name: 'x/../y?z#' }),
    '/apis/events.k8s.io/v1/namespaces/a%20b/events/x%2F..%2Fy%3Fz%23',
  );
});

test('what would become the path of something else is a fault', () => {
  for (const name of ['', '.', '..']) {
    const fault = kubePath({ resource: NODES, name });
    assert.ok(isFault(fault));
    assert.equal(fault.message, `\`${name}\` cannot be a name among \`nodes\``);
  }
});

test('wrong use is a TypeError', () => {
  assert.throws(() => kubePath({ resource: NODES, namespace: 'a' }), TypeError);
  assert.throws(() => kubePath({ resource: LEASES, name: 'a' }), TypeError);
  assert.throws(() => kubePath({ resource: NODES, subresource: 'status' }), TypeError);
});
