import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violation } from './violation.ts';
import { findCycles, parseImports } from './import-graph.ts';

const server = (path: string): string => `packages/server/src/${path}`;
const edge = (from: string, to: string): { from: string; to: string; line: number } => ({
  from: server(from),
  to: server(to),
  line: 1,
});

test('an import from a lower layer is fine', () => {
  assert.equal(violation(edge('chain/chain.ts', 'engines/engine.ts')), undefined);
  assert.equal(
    violation({ from: server('cli/main.ts'), to: 'packages/contract/src/index.ts', line: 1 }),
    undefined,
  );
});

test('an import from a higher layer names both', () => {
  assert.equal(
    violation(edge('kernel/fault.ts', 'chain/chain.ts')),
    'packages/server/src/kernel is below packages/server/src/chain',
  );
});

test('siblings are closed to each other', () => {
  assert.match(violation(edge('wasm/a.ts', 'policy/b.ts')) ?? '', /siblings/);
  assert.match(violation(edge('engines/plugin/a.ts', 'engines/wasi/b.ts')) ?? '', /members plugin and wasi/);
  assert.match(violation(edge('engines/engine.ts', 'engines/wasi/b.ts')) ?? '', /must not know/);
  assert.equal(violation(edge('engines/plugin/a.ts', 'engines/engine.ts')), undefined);
});

test('the server does not import from tools, benchmarks or the sdk', () => {
  assert.match(violation({ from: server('app/a.ts'), to: 'tools/x.ts', line: 1 }) ?? '', /outside/);
  assert.match(violation({ from: 'packages/sdk/src/a.ts', to: server('app/a.ts'), line: 1 }) ?? '', /alone/);
});

test('imports of every form are seen', () => {
  const text = `import type { A } from './a.ts';
export * from './b.ts';
import {
  c,
} from '../kernel/c.ts';
import './d.ts';
const e = await import('./e.ts');
import fs from 'node:fs';
import type { P } from '@portcullis/contract';
`;
  assert.deepEqual(
    parseImports(server('policy/x.ts'), text).map(({ to }) => to),
    [
      server('policy/a.ts'),
      server('policy/b.ts'),
      server('kernel/c.ts'),
      server('policy/d.ts'),
      server('policy/e.ts'),
      'packages/contract/src/index.ts',
    ],
  );
});

test('a cycle is found once', () => {
  assert.deepEqual(findCycles([edge('a.ts', 'b.ts'), edge('b.ts', 'c.ts'), edge('c.ts', 'a.ts')]), [
    [server('a.ts'), server('b.ts'), server('c.ts'), server('a.ts')],
  ]);
});
