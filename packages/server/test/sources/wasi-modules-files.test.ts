import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { isException } from '../../src/policy/parse-policies.ts';
import { createFileDocumentSource } from '../../src/sources/file/file-document-source.ts';
import type { DocumentReading } from '../../src/sources/source.ts';

const folder = mkdtempSync(join(tmpdir(), 'wasi-modules-'));
after(() => rmSync(folder, { recursive: true }));

const RULES = 'rules: [{operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [pods]}]';

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function tell({ result }: DocumentReading): string {
  if (isFault(result)) return result.code;
  return isException(result) ? 'exception' : `${result.spec.gate} ${result.metadata.name}`;
}

test('one file for each gate is read, and one that an AdmissionConfiguration names', async () => {
  const configuration = (path: string): string =>
    `{kind: AdmissionConfiguration, plugins: [{name: WASM, path: ${path}}]}`;
  const modules = write('admission.yaml', `modules: [{name: pods, module: pods.wasm, ${RULES}}]`);
  const source = createFileDocumentSource({
    directories: [],
    files: [],
    pluginsFiles: [],
    checkInterval: 0,
    wasiModules: [
      { gate: 'authentication', file: write('authn.yaml', 'modules: [{name: desk, module: desk.wasm}]') },
      {
        gate: 'authorization',
        file: write('authz.json', '{"modules":[{"name":"night","module":"n.wasm"}]}'),
      },
      { gate: 'admission', file: write('control.yaml', configuration('admission.yaml')) },
    ],
  });
  const first = await source.read();
  assert.deepEqual(first.map(tell), ['authentication desk', 'authorization night', 'admission pods']);
  assert.equal(first[2]?.container, modules);
  const again = await source.read();
  assert.ok(first.every(({ result }, index) => result === again[index]?.result));

  write('admission.yaml', configuration('elsewhere.yaml'));
  assert.deepEqual((await source.read()).map(tell).slice(2), ['PC_POLICY_VALUE']);
  write('control.yaml', configuration('missing.yaml'));
  assert.deepEqual((await source.read()).map(tell).slice(2), ['PC_MODULE_MISSING']);
});
