import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { ENGINES } from '../../src/app/engine-table.ts';
import { withCustomSection } from '../../src/cli/policy/with-custom-section.ts';
import { createOfflineServer, type OfflineServer } from '../../src/cli/offline/offline-server.ts';
import { openPolicyFiles, type PolicyFiles } from '../../src/cli/offline/policy-files.ts';
import { createChain } from '../../src/chain/chain.ts';
import { createPolicyLoader } from '../../src/chain/policy-loader.ts';
import type { Gate } from '../../src/gates/gate.ts';
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

const POLICIES = join(import.meta.dirname, '../../../../policies');
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
const REVIEW = Buffer.from(JSON.stringify(podReview()));
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
  let gate: Gate;
  const closing: (() => void)[] = [];
  const offline: Record<string, OfflineServer> = {};

  before(async () => {
    directory = await workDirectory();
    for (const [name, answer] of Object.entries(ANSWERS)) {
      const guest = wapc(`${respond(0, answer.length)} (i32.const 1)`, { data: answer });
      await writeFile(join(directory, `${name}.wasm`), guest);
    }
    const file = join(directory, 'policies.yml');
    const imported = join(directory, 'imported.yaml');
    await writeFile(file, CASES.map(([entry], index) => `p${index}: ${entry}\n`).join(''));
    const { code, err } = await runCli(['import', 'kubewarden', file, '--output', imported]);
    equal(code, 0, err);
    gate = await openServed(file);
    offline['file'] = await openOffline(await openPolicyFiles([], { kubewardenFiles: [file] }));
    offline['import'] = await openOffline(await openPolicyFiles([imported]));
  });
  after(() => {
    for (const close of closing) close();
  });

  async function openOffline(files: PolicyFiles): Promise<OfflineServer> {
    const server = await createOfflineServer({ ...files, log: noLog });
    deepEqual(server.report.problems, []);
    closing.push(() => server.close());
    return server;
  }

  async function openServed(file: string): Promise<Gate> {
    const host = createTestHost();
    const chain = createChain({
      engines: ENGINES,
      host,
      namespaceLabels: () => undefined,
      observer: { decided: () => undefined, refused: () => undefined },
    });
    closing.push(() => chain.close());
    const reading = { reach: 'name', timeoutMs: 2000, monitorWarnings: false } as const;
    const none = { directories: [], files: [], pluginsFiles: [], checkInterval: 0 };
    const loader = createPolicyLoader({
      sources: [createFileDocumentSource({ ...none, kubewarden: { files: [file], reading } })],
      modules: createModuleResolver([createFileModuleSource({ maxModuleBytes: 1e6 })], 1e6),
      engines: ENGINES,
      host,
      publish: (set) => chain.install(set),
    });
    deepEqual((await loader.reload()).problems, []);
    return createKubewardenGate({
      decide: chain.decideNamed,
      parseReview(body, deadline) {
        const parsed = parseAdmissionReview(body, deadline);
        return isFault(parsed) ? parsed : parsed.review;
      },
      log: noLog,
      maxBodyBytes: 1e6,
    });
  }

  async function served(policy: string): Promise<Seen> {
    const { body } = await gate({
      method: 'POST',
      path: `/validate/${policy}`,
      query: '',
      contentType: 'application/json',
      body: REVIEW,
      received: clock.now(),
    });
    const { allowed, patch } = (JSON.parse(body) as { response: { allowed: boolean; patch?: string } })
      .response;
    const operations =
      patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as JsonValue);
    return { allowed, patch: operations };
  }

  async function judged(where: 'file' | 'import', policy: string): Promise<Seen> {
    const judgement = await offline[where]?.judge({ gate: 'admission', bytes: REVIEW }, { policy });
    ok(judgement !== undefined && !isFault(judgement));
    const allowed = judgement.outcome === 'allow';
    // The patch of a review that is denied is shown to authors, and sent to nobody.
    return { allowed, patch: allowed ? judgement.patch : [] };
  }

  for (const [index, [entry, expected]] of CASES.entries()) {
    test(`served, offline and imported alike: ${entry}`, async () => {
      deepEqual(await served(`p${index}`), expected);
      deepEqual(await judged('file', `p${index}`), expected);
      deepEqual(await judged('import', `p${index}`), expected);
    });
  }

  test('on the command line too', async () => {
    const [file, review] = [join(directory, 'one.yml'), join(directory, 'review.json')];
    await writeFile(file, 'p: {module: file://deny.wasm}\n');
    await writeFile(review, REVIEW);
    const { code, out } = await runCli(['check', '--kubewarden', file, '-f', review]);
    equal(code, 1);
    match(out, /denied by p\n {2}\[p\] no team label/);
  });

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
    deepEqual(spec.capabilities, ['oci/v2/*', 'kubernetes/inventory']);
    deepEqual(spec.contextAwareResources, [{ apiVersion: 'v1', kind: 'Pod' }]);
    deepEqual(spec.module, { oci: 'ghcr.io/p:v1' });
  });

  test('modules that are there say which engine runs them; those of Rego keep what they see of the cluster', async () => {
    const rego = await readFile(join(POLICIES, 'namespace-registries-rego/namespace-registries-rego.wasm'));
    for (const executionMode of ['opa', 'gatekeeper', 'none']) {
      const metadata = Buffer.from(JSON.stringify({ executionMode, mutating: false }));
      const annotated = withCustomSection(rego, 'io.kubewarden.metadata', metadata);
      ok(!isFault(annotated));
      const bytes = executionMode === 'none' ? rego : annotated;
      await writeFile(join(directory, `rego-${executionMode}.wasm`), bytes);
    }
    const file = join(directory, 'rego.yml');
    const reads = 'contextAwareResources: [{apiVersion: v1, kind: Pod}]';
    const modules = ['rego-opa', 'rego-gatekeeper', 'allow', 'absent'];
    const entries = modules.map((name) => `${name}: {module: file://${name}.wasm, ${reads}}`);
    const members = modules
      .slice(0, 2)
      .map((name, index) => `m${index}: {module: file://${name}.wasm, ${reads}}`);
    const group = `g: {expression: "m0() && m1()", message: m, policies: {${members.join(', ')}}}`;
    await writeFile(file, [...entries, group, ''].join('\n'));
    const { out, err, code } = await runCli(['import', 'kubewarden', file]);
    equal(code, 0, err);
    const specs = parsePolicies(out, { source: 'file', location: 'x' }).flatMap(({ result }) => {
      ok(!isFault(result), isFault(result) ? result.message : '');
      const programs = result.group === undefined ? [result] : Object.values(result.group.members);
      return programs.map(({ spec: { engine, capabilities } }) => [engine, capabilities]);
    });
    const sees = ['kubernetes/inventory'];
    deepEqual(specs, [
      ['opa', sees],
      ['gatekeeper', sees],
      [undefined, []],
      [undefined, sees],
      ['opa', sees],
      ['gatekeeper', sees],
    ]);
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
