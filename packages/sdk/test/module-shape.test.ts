import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import wabt from 'wabt';
import { createPluginHarness, createPluginInput } from '../src/index.ts';

/** What keeps the example modules cheap to reset and welcome in every engine. */
const POLICIES = join(import.meta.dirname, '../../../policies');
const IMPORTS = new Set(['get_input_len', 'read_input', 'write_output', 'log_message']);
/** Sign extension, bulk memory and the like are as old as the ABI; these are not everywhere. */
const RECENT = { reference_types: false, multi_value: false, simd: false };

const { readWasm } = await wabt();

for (const name of ['image-registry', 'image-registry-assemblyscript', 'default-labels']) {
  // A copy: wabt reads the whole buffer below a view.
  const bytes = Uint8Array.from(await readFile(join(POLICIES, name, `${name}.wasm`)));
  const module = new WebAssembly.Module(bytes);

  test(`${name} asks for nothing but the ABI`, () => {
    for (const { module: from, name: what } of WebAssembly.Module.imports(module)) {
      assert.ok(from === 'env' && IMPORTS.has(what), `${from}.${what}`);
    }
  });

  test(`${name} is small, carries no names, and needs no recent features`, () => {
    assert.ok(bytes.length < 40_000, `${bytes.length} bytes`);
    assert.deepEqual(WebAssembly.Module.customSections(module, 'name'), []);
    const source = readWasm(bytes, RECENT);
    const text = source.toText({});
    assert.match(text, /\(memory \(;0;\) 1\)/, 'one page at the start');
    source.destroy();
  });

  test(`${name} judges a usual pod within two pages`, async () => {
    const containers = Array.from({ length: 12 }, (_, index) => ({
      name: `c${index}`,
      image: 'ghcr.io/acme/web',
      env: Array.from({ length: 8 }, (__, variable) => ({ name: `V${variable}`, value: 'x'.repeat(20) })),
    }));
    const object = { apiVersion: 'v1', kind: 'Pod', spec: { containers } };
    const settings = name === 'default-labels' ? { labels: { a: 'b' } } : { registries: ['ghcr.io/acme'] };
    const run = (await createPluginHarness(bytes)).run(createPluginInput({ object }, settings));
    assert.equal(run.code, 0);
    assert.ok(run.memoryPages <= 2, `${run.memoryPages} pages`);
  });
}
