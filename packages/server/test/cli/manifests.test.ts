import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { runCli } from './run-cli.ts';

const POLICIES = ['-p', 'policies/image-registry', 'policies/default-labels'];
const URL_OPTION = ['--url', 'https://gate.example:8443'];

interface Printed {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly { readonly clientConfig: unknown }[];
}

function documents(text: string): Printed[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Printed);
}

test('prints a configuration of each kind that the policies need', async () => {
  const { code, out, err } = await runCli(['manifests', ...POLICIES, ...URL_OPTION]);
  assert.equal(code, 0, err);
  const printed = documents(out).map(({ kind, metadata, webhooks }) => [
    kind,
    metadata.name,
    ...webhooks.map(({ clientConfig }) => clientConfig),
  ]);
  const url = (phase: string): object => ({ url: `https://gate.example:8443/admission/fail/${phase}` });
  assert.deepEqual(printed, [
    ['ValidatingWebhookConfiguration', 'portcullis', url('validate')],
    ['MutatingWebhookConfiguration', 'portcullis', url('mutate')],
  ]);
});

test('static manifests of one kind', async () => {
  const { out } = await runCli([
    'manifests',
    '--static',
    '--kind',
    'mutating',
    '--name',
    'b',
    ...POLICIES,
    ...URL_OPTION,
  ]);
  assert.deepEqual(
    documents(out).map(({ kind, metadata }) => [kind, metadata.name]),
    [['MutatingWebhookConfiguration', 'b.static.k8s.io']],
  );
});

test('bad input prints nothing', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--url', 'http://gate.example'], /^error: `--url` must be an https URL\n$/],
    [['--url', 'https://a:b@gate.example'], /must have no user, query or fragment/],
    [[...URL_OPTION, '--timeout', '31'], /must be whole seconds, 1 to 30/],
    [[...URL_OPTION, '--ca-file', 'nowhere.pem'], /^PC_INPUT: cannot read `nowhere\.pem`/],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await runCli(['manifests', ...POLICIES, ...args]);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, expected);
  }
});

test('the doctor cannot look without a cluster', async () => {
  const { code, out, err } = await runCli(['doctor', '--kubeconfig', 'nowhere.yaml']);
  assert.equal(code, 2);
  assert.equal(out, '');
  assert.match(err, /^error: cannot read the kubeconfig `.*nowhere\.yaml`/);
});
