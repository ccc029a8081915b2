import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { ENGINES } from '../../src/app/engine-table.ts';
import { createChain } from '../../src/chain/chain.ts';
import { createPolicyLoader } from '../../src/chain/policy-loader.ts';
import { parseAdmissionReview } from '../../src/gates/kube-admission/parse-admission-review.ts';
import { createKubewardenGate } from '../../src/gates/kubewarden/kubewarden-gate.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { parsePolicies } from '../../src/policy/parse-policies.ts';
import { createFileDocumentSource } from '../../src/sources/file/file-document-source.ts';
import { createFileModuleSource } from '../../src/sources/file/file-module-source.ts';
import { createModuleResolver } from '../../src/sources/module-resolver.ts';
import { workDirectory } from '../app/support/certificates.ts';
import { runCli } from '../cli/run-cli.ts';
import { respond, wapc } from '../engines/kubewarden/support/guest-wat.ts';
import { clock, createTestHost, noLog } from '../support/test-host.ts';
import { podReview } from './open-gate.ts';

const CHANGED = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { a: 'b' } },
});
const ANSWERS: Readonly<Record<string, string>> = {
  allow: '{"accepted":true}',
  deny: '{"accepted":false,"message":"no team label"}',
  change: `{"accepted":true,"mutated_object":${CHANGED}}`,
  garbage: '{"accepted":"yes"}',
};
const PATCH = [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }];

interface Seen {
  readonly allowed: boolean;
  readonly patch: JsonValue;
}

/** Entries, and what a policy-server says of a pod. */
const CASES: readonly (readonly [string, Seen])[] = [
  ['{module: file://allow.wasm}', { allowed: true, patch: [] }],
  ['{module: file://deny.wasm}', { allowed: false, patch: [] }],
  ['{module: file://deny.wasm, message: refused}', { allowed: false, patch: [] }],
  ['{module: file://deny.wasm, policyMode: monitor}', { allowed: true, patch: [] }],
  ['{module: file://change.wasm}', { allowed: false, patch: [] }],
  ['{module: file://change.wasm, allowedToMutate: true}', { allowed: true, patch: PATCH }],
  ['{module: file://change.wasm, allowedToMutate: true, policyMode: monitor}', { allowed: true, patch: [] }],
  ['{module: file://garbage.wasm}', { allowed: false, patch: [] }],
  ['{module: file://garbage.wasm, policyMode: monitor}', { allowed: true, patch: [] }],
  [
    '{expression: "a() && !b()", message: m, policies: {a: {module: file://allow.wasm}, b: {module: file://deny.wasm}}}',
    { allowed: true, patch: [] },
  ],
  [
    '{expression: "a() && b()", message: m, policies: {a: {module: file://allow.wasm}, b: {module: file://change.wasm}}}',
    { allowed: false, patch: [] },
  ],
];

describe('portcullis import kubewarden', { timeout: 120_000 }, () => {
  let directory: string;

  before(async () => {
    directory = await workDirectory();
    for (const [name, answer] of Object.entries(ANSWERS)) {
      const guest = wapc(`${respond(0, answer.length)} (i32.const 1)`, { data: answer });
      await writeFile(join(directory, `${name}.wasm`), guest);
    }
    await writeFile(join(directory, 'review.json'), JSON.stringify(podReview()));
  });

  async function served(file: string): Promise<Seen> {
    const host = createTestHost();
    const chain = createChain({
      engines: ENGINES,
      host,
      namespaceLabels: () => undefined,
      observer: { decided: () => undefined, refused: () => undefined },
    });
    const reading = { reach: 'name', timeoutMs: 2000, monitorWarnings: false } as const;
    const none = { directories: [], files: [], pluginsFiles: [], checkInterval: 0 };
    const loader = createPolicyLoader({
      sources: [createFileDocumentSource({ ...none, kubewarden: { files: [file], reading } })],
      modules: createModuleResolver([createFileModuleSource({ maxModuleBytes: 1e6 })], 1e6),
      engines: ENGINES,
      host,
      publish: (set) => chain.install(set),
    });
    const { problems } = await loader.reload();
    deepEqual(problems, []);
    const gate = createKubewardenGate({
      decide: chain.decideNamed,
      parseReview(body, deadline) {
        const parsed = parseAdmissionReview(body, deadline);
        return isFault(parsed) ? parsed : parsed.review;
      },
      log: noLog,
      maxBodyBytes: 1e6,
    });
    const body = Buffer.from(JSON.stringify(podReview()));
    const { body: answer } = await gate({
      method: 'POST',
      path: '/validate/p',
      query: '',
      contentType: 'application/json',
      body,
      received: clock.now(),
    });
    chain.close();
    const { allowed, patch } = (JSON.parse(answer) as { response: { allowed: boolean; patch?: string } })
      .response;
    const operations =
      patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as JsonValue);
    return { allowed, patch: operations };
  }

  async function offline(args: readonly string[]): Promise<Seen> {
    const { out, err } = await runCli(['check', ...args, '-f', join(directory, 'review.json'), '-o', 'json']);
    ok(out.startsWith('['), err);
    const [row] = JSON.parse(out) as [Seen];
    // The patch of a review that is denied is shown to authors, and sent to nobody.
    return { allowed: row.allowed, patch: row.allowed ? row.patch : [] };
  }

  for (const [entry, expected] of CASES) {
    test(`served, offline and imported alike: ${entry}`, async () => {
      const file = join(directory, 'policies.yml');
      const imported = join(directory, 'imported.yaml');
      await writeFile(file, `p: ${entry}\n`);
      const { code, err } = await runCli(['import', 'kubewarden', file, '--output', imported]);
      equal(code, 0, err);
      deepEqual(await served(file), expected);
      deepEqual(await offline(['--kubewarden', file]), expected);
      deepEqual(await offline(['--policy', imported]), expected);
    });
  }

  test('keeps everything that a file says, and integers beyond doubles', async () => {
    const file = join(directory, 'all.yml');
    await writeFile(
      file,
      'p:\n  module: registry://ghcr.io/p:v1\n  timeoutEvalSeconds: 7\n  hostCapabilities: ["oci/v2/*"]\n' +
        '  contextAwareResources: [{apiVersion: v1, kind: Pod}]\n  settings: {n: 9007199254740993, t: "true", e: 1.5e300}\n',
    );
    const { out, code } = await runCli(['import', 'kubewarden', file]);
    equal(code, 0);
    const [parsed] = parsePolicies(out, { source: 'file', location: 'x' });
    ok(parsed !== undefined && !isFault(parsed.result));
    const { spec } = parsed.result;
    equal(JSON.stringify(spec.settings), '{"n":9007199254740993,"t":"true","e":1.5e+300}');
    equal(spec.limits.timeoutMs, 7000);
    deepEqual(spec.capabilities, ['oci/v2/*']);
    deepEqual(spec.contextAwareResources, [{ apiVersion: 'v1', kind: 'Pod' }]);
    deepEqual(spec.module, { oci: 'ghcr.io/p:v1' });
  });

  test('what cannot be read is told with its place, and the rest is written', async () => {
    const file = join(directory, 'mixed.yml');
    await writeFile(
      file,
      'good: {module: a, hostcapabilities: []}\nbad: {policyMode: protect}\nBad_Name: {module: a}\n',
    );
    const { out, err, code } = await runCli(['import', 'kubewarden', file]);
    equal(code, 2);
    match(out, /name: good/);
    ok(!out.includes('bad'));
    match(
      err,
      /warning: .*mixed\.yml:1:19: good\.hostcapabilities: unknown key, it has no effect, did you mean `hostCapabilities`\?/,
    );
    match(err, /error: .*mixed\.yml:2:1: bad\.module: is required/);
    match(err, /Bad_Name/);
    const missing = await runCli(['import', 'kubewarden', join(directory, 'nothing.yml')]);
    equal(missing.code, 2);
    match(missing.err, /cannot read/);
    const unwritable = await runCli(['import', 'kubewarden', file, '-o', directory]);
    equal(unwritable.code, 2);
    equal((await readFile(file, 'utf8')).startsWith('good'), true);
  });
});
