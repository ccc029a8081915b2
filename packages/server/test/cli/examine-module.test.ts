import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { examineModule, type Examination } from '../../src/cli/inspect/examine-module.ts';
import { withCustomSection } from '../../src/cli/policy/with-custom-section.ts';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { wapc } from '../engines/kubewarden/support/guest-wat.ts';
import { opaGuest } from '../engines/opa/opa-guest.ts';
import { wat } from '../wasm-instrument/support/wat.ts';
import { ROOT } from './run-cli.ts';

const SECTION = 'io.kubewarden.metadata';

async function examine(bytes: Uint8Array, path = 'module.wasm'): Promise<Examination> {
  const found = await examineModule(path, bytes);
  assert.ok(!isFault(found), isFault(found) ? textOf(found) : path);
  return found;
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const { refused } = await examine(bytes);
  return textOf(refused);
}

function textOf(fault: Fault | undefined): string {
  return fault === undefined ? 'none' : `${fault.code}: ${fault.message}`;
}

function withMetadata(module: Uint8Array, metadata: unknown): Uint8Array {
  const made = withCustomSection(module, SECTION, Buffer.from(JSON.stringify(metadata)));
  assert.ok(!isFault(made));
  return made;
}

/** Value by name. */
function valuesOf({ traits }: Examination): Readonly<Record<string, unknown>> {
  return Object.fromEntries(traits.map(({ name, value }) => [name, value]));
}

const DEMANDS_PATTERNS =
  'PC_POLICY_SETTINGS: the settings are not valid: `allowed` must list patterns, such as `ghcr.io/acme/**`';
const EXAMPLES: Readonly<Record<string, Pick<Examination, 'engine' | 'answers'> & Record<string, unknown>>> =
  {
    'default-labels': { engine: 'plugin', answers: undefined },
    'denied-verbs-go': { engine: 'wasi', answers: 'command (_start)' },
    'image-patterns-wapc': { engine: 'kubewarden', answers: 'admission (waPC)', demands: DEMANDS_PATTERNS },
    'image-registry': { engine: 'plugin', answers: undefined },
    'image-registry-assemblyscript': { engine: 'plugin', answers: undefined },
    'memory-limits-rego': {
      engine: 'opa',
      answers: 'Rego (ABI 1.3)',
      abi: '1.3',
      entrypoints: {
        'memory_limits/violation': 0,
        'memory_limits/main': 1,
        'memory_limits/messages': 2,
      },
      builtins: [
        { name: 'sprintf', offered: true },
        { name: 'units.parse_bytes', offered: true },
      ],
      inputs: 'direct',
    },
    'namespace-registries-rego': {
      engine: 'opa',
      answers: 'Rego (ABI 1.3)',
      abi: '1.3',
      entrypoints: {
        'namespace_registries/violation': 0,
        'namespace_registries/main': 1,
        'namespace_registries/messages': 2,
      },
      builtins: [{ name: 'sprintf', offered: true }],
      inputs: 'direct',
    },
    'static-tokens-rust-wasi': { engine: 'wasi', answers: 'authentication (authn)' },
    'unique-hosts-wapc': {
      engine: 'kubewarden',
      answers: 'admission (waPC)',
      capabilities: ['kubernetes/list_resources_all'],
    },
  };

for (const path of globSync('policies/*/*.wasm', { cwd: ROOT }).sort()) {
  const name = basename(path, '.wasm');
  test(`the example ${name} is what its row says, and is not refused`, async () => {
    const found = await examine(readFileSync(join(ROOT, path)), path);
    const { engine, answers, refused, demands } = found;
    assert.equal(textOf(refused), 'none');
    const told = demands === undefined ? {} : { demands: textOf(demands) };
    assert.deepEqual({ engine, answers, ...told, ...valuesOf(found) }, EXAMPLES[name]);
  });
}

test("a policy of Kubewarden's own SDK: the capabilities whose names are in it", async () => {
  const bytes = readFileSync(join(import.meta.dirname, '../engines/kubewarden/official-sdk.wasm'));
  assert.deepEqual(valuesOf(await examine(bytes)), { capabilities: ['net/v1/dns_lookup_host'] });
});

test('metadata of a policy for Kubewarden', async () => {
  const metadata = {
    protocolVersion: 'v1',
    mutating: true,
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE', 'UPDATE'] }],
    contextAwareResources: [{ apiVersion: 'v1', kind: 'Namespace' }],
    hostCapabilities: ['oci/v2/*', 'kubernetes/get_resource'],
    annotations: { 'io.kubewarden.policy.title': 'pod-owners' },
  };
  const { engine, traits, refused } = await examine(withMetadata(wapc('(i32.const 1)'), metadata));
  assert.deepEqual([engine, refused], ['kubewarden', undefined]);
  assert.deepEqual(traits, [
    {
      name: 'metadata',
      value: metadata,
      lines: [
        'pod-owners',
        'execution mode kubewarden-wapc, policy type kubernetes, changes objects',
        'is for CREATE, UPDATE of pods in the core group v1',
        'asks for the capabilities oci/v2/*, kubernetes/get_resource',
        'reads v1 Namespace of the cluster',
      ],
    },
    {
      name: 'capabilities',
      value: [],
      lines: ['it calls its host, and names nothing that would have to be granted'],
    },
  ]);
});

test('metadata that cannot be read are told, whether or not the module is refused for them', async () => {
  const odd = await examine(withMetadata(wapc('(i32.const 1)'), { protocolVersion: 'v1', mutating: 'no' }));
  assert.match(odd.traits[0]?.lines[0] ?? '', /^cannot be read: metadata: `mutating` /);
  assert.equal(odd.refused, undefined);
  const later = withMetadata(wapc('(i32.const 1)'), { protocolVersion: 'v2', mutating: false });
  assert.equal(
    await refusal(later),
    'PC_KUBEWARDEN_PROTOCOL: the module must speak protocol version `v1`; its metadata says `v2`',
  );
  const rego = withMetadata(wapc('(i32.const 1)'), { executionMode: 'opa', mutating: false });
  assert.match(
    await refusal(rego),
    /^PC_MODULE_ENGINE: the module has the execution mode `opa`; name the engine/,
  );
});

test('a module from Rego for Gatekeeper says so in its metadata', async () => {
  const module = withMetadata(
    opaGuest({ evaluate: '(i32.const 0)', entrypoints: '{"policy/violation":0}' }),
    {
      executionMode: 'gatekeeper',
      mutating: false,
    },
  );
  const found = await examine(module);
  assert.equal(found.engine, 'gatekeeper');
  assert.deepEqual(valuesOf(found)['entrypoints'], { 'policy/violation': 0 });
  assert.equal(textOf(found.refused), 'none');
});

test('builtins that are not offered are named, with everything else that the module says', async () => {
  const found = await examine(
    opaGuest({
      evaluate: '(i32.const 0)',
      builtins: '{"http.send":0,"sprintf":1,"no.such":2}',
      entrypoints: '{"b/main":1,"a/main":0}',
    }),
  );
  assert.equal(
    textOf(found.refused),
    'PC_OPA_BUILTIN: the module calls builtin functions that are not offered: `http.send`, `no.such`',
  );
  assert.deepEqual(
    found.traits.map(({ name, lines }) => [name, lines]),
    [
      ['entrypoints', ['a/main (0)', 'b/main (1)']],
      ['builtins', ['http.send, which is not offered', 'no.such, which is not offered', 'sprintf']],
    ],
  );
});

const OPA_ABI = (major: number): string =>
  `(global (export "opa_wasm_abi_version") i32 (i32.const ${major})) (global (export "opa_wasm_abi_minor_version") i32 (i32.const 2))`;
const opaOf = (rest: string): Uint8Array =>
  wat(`(module (import "env" "memory" (memory 2)) ${rest}
    (func (export "opa_eval_ctx_new") (result i32) (i32.const 0))
    (func (export "opa_json_dump") (param i32) (result i32) (i32.const 0))
    (func (export "builtins") (result i32) (i32.const 0)))`);

test("the version of OPA's ABI", async () => {
  const second = await examine(opaOf(OPA_ABI(2)));
  assert.deepEqual([second.answers, valuesOf(second)], ['Rego (ABI 2.2)', { abi: '2.2' }]);
  assert.equal(
    textOf(second.refused),
    "PC_MODULE_ENGINE: module 'module' is compiled for version 2.2 of OPA's ABI; this server speaks version 1",
  );
  const first = await examine(opaOf(OPA_ABI(1)));
  assert.match(
    textOf(first.refused),
    /^PC_MODULE_EXPORT: module 'module' must export 'opa_malloc' as a function/,
  );
  assert.equal((await examine(opaOf(''))).answers, 'Rego (ABI 1.0 or 1.1)');
});

const PLUGIN = '(import "env" "read_input" (func (param i32 i32) (result i32)))';
const VALIDATE = '(func (export "validate") (result i32) (i32.const 0))';
const WASI_READ = '(import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))';
const REFUSED: readonly (readonly [what: string, text: string, refused: RegExp])[] = [
  [
    'nothing in it',
    '(module)',
    /^PC_MODULE_ENGINE: no engine recognises the module: it imports from nothing and exports nothing; expected is for `plugin` imports/,
  ],
  [
    'another host',
    '(module (import "spin" "run" (func)) (func (export "handle")))',
    /^PC_MODULE_ENGINE: .*it imports from `spin` and exports `handle`; .*for `wasi` imports of `wasi_snapshot_preview1` only.*for `kubewarden` an export `__guest_call`/,
  ],
  [
    'an import that is not offered',
    `(module ${PLUGIN} (import "env" "open_file" (func)) (memory (export "memory") 1) ${VALIDATE})`,
    /^PC_MODULE_IMPORT: the module imports `env\.open_file`, which is not offered/,
  ],
  [
    'an import of another type',
    `(module (import "env" "read_input" (func (param i64) (result i32))) (memory (export "memory") 1) ${VALIDATE})`,
    /^PC_MODULE_IMPORT: the module imports `env\.read_input` as \(i64\) -> \(i32\); it is offered as/,
  ],
  ['no memory', `(module ${PLUGIN} ${VALIDATE})`, /^PC_MODULE_EXPORT: Plugin module must export 'memory'/],
  [
    'a start that fails',
    `(module ${PLUGIN} (memory (export "memory") 1) ${VALIDATE} (func $start (unreachable)) (start $start))`,
    /^PC_WASM_/,
  ],
  [
    'a start without end',
    `(module ${PLUGIN} (memory (export "memory") 1) ${VALIDATE} (func $start (loop (br 0))) (start $start))`,
    /^PC_WASM_FUEL: /,
  ],
  [
    'a program whose start cannot be called',
    `(module ${WASI_READ} (memory (export "memory") 1) (func (export "authn")) (func (export "_initialize") (unreachable)))`,
    /^PC_WASM_/,
  ],
  [
    'a guest call of another type',
    '(module (memory (export "memory") 1) (func (export "__guest_call") (param i32) (result i32) (i32.const 0)))',
    /^PC_MODULE_EXPORT: the module must export `__guest_call` as a function \(i32, i32\) -> \(i32\); it is \(i32\) -> \(i32\)/,
  ],
];

for (const [what, text, expected] of REFUSED) {
  test(`refused: ${what}`, async () => {
    assert.match(await refusal(wat(text)), expected);
  });
}

test('a module that needs more than a policy has by default demands it', async () => {
  const text = `(module ${PLUGIN} (memory (export "memory") 512) ${VALIDATE})`;
  const { refused, demands } = await examine(wat(text));
  assert.equal(refused, undefined);
  assert.equal(
    textOf(demands),
    'PC_MODULE_MEMORY: the module starts with 33554432 bytes of memory; its limit is 16777216',
  );
});

test('what is no module that a policy could be', async () => {
  const whole = readFileSync(join(ROOT, 'policies/image-registry/image-registry.wasm'));
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing', Buffer.alloc(0), /^PC_MODULE_MALFORMED: the module is malformed at byte 0: unexpected end/],
    ['text', Buffer.from('package policy'), /^PC_MODULE_MALFORMED: .* this is not WebAssembly/],
    [
      'half of one',
      whole.subarray(0, whole.length / 2),
      /^PC_MODULE_MALFORMED: the module is malformed at byte \d+/,
    ],
    [
      'a component',
      Buffer.from('0061736d0d000100', 'hex'),
      /^PC_MODULE_FEATURE: the module uses the component model/,
    ],
    ['threads', wat('(module (memory 1 1 shared))'), /^PC_MODULE_FEATURE: /],
  ];
  for (const [what, bytes, expected] of cases) {
    const found = await examineModule('module.wasm', bytes);
    assert.ok(isFault(found), what);
    assert.match(textOf(found), expected, what);
  }
});
