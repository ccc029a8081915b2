import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createPluginHarness,
  createPluginInput,
  createWasiHarness,
  loadTestSuite,
  runTestCase,
} from '@portcullis/sdk';
import { parse } from 'yaml';
import { opaBinary } from '../e2e/support/components.ts';

/**
 * Builds the example policies from their sources.
 *
 *   node tools/build-policies.ts [--out DIR] [--only NAME]     in place, or as NAME.wasm into a folder
 *   node tools/build-policies.ts --check                       build aside; same behaviour as the committed modules?
 *
 * Bytes may differ from compiler to compiler, behaviour may not: every case of the suites has to pass with the rebuilt
 * module and to give, byte for byte, the answer of the committed one.
 *
 * Exit status: 0 done, 1 a build or a comparison failed, 3 all good but a toolchain is absent (with `--require`: 1).
 */

const ROOT = resolve(import.meta.dirname, '..');
const POLICIES = join(ROOT, 'policies');
const DEBIAN_PACKAGES = ['rustc-web', 'cargo-web', 'rust-web-src', 'lld', 'wasi-libc'];

export const EXIT = { done: 0, failed: 1, toolchainAbsent: 3 } as const;

type Build = 'built' | 'failed' | 'toolchain absent';

/** How a policy is built, by the file that tells its language. */
const BUILDERS: readonly {
  readonly source: string;
  readonly build: (folder: string, to: string) => Build;
}[] = [
  { source: 'Cargo.toml', build: buildByScript },
  { source: 'go.mod', build: buildByScript },
  { source: 'policy.rego', build: buildByScript },
  { source: 'assembly/policy.ts', build: buildAssemblyScript },
];

function buildByScript(folder: string, to: string): Build {
  // OPA is one of the real components; whoever has another names it.
  const OPA = process.env['OPA'] ?? (existsSync(opaBinary()) ? opaBinary() : 'opa');
  const { status } = spawnSync(join(folder, 'build.sh'), [to], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, OPA },
  });
  if (status === 0) return 'built';
  return status === EXIT.toolchainAbsent ? 'toolchain absent' : 'failed';
}

function buildAssemblyScript(folder: string, to: string): Build {
  const compiler = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const config = join(ROOT, 'packages/sdk/asconfig.json');
  const parameters = [compiler, join(folder, 'assembly/policy.ts'), '--outFile', to, '--config', config];
  // The compiler knows only paths below its working folder.
  const { status } = spawnSync(process.execPath, parameters, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0 ? 'built' : 'failed';
}

/** Folders of the policies that have sources of ours, by name. */
export async function listPolicies(): Promise<readonly string[]> {
  const documents = await Array.fromAsync(glob('*/policy.yaml', { cwd: POLICIES }));
  return documents
    .map((file) => join(POLICIES, file, '..'))
    .filter((folder) => builderOf(folder) !== undefined)
    .sort();
}

function builderOf(folder: string): (typeof BUILDERS)[number] | undefined {
  return BUILDERS.find(({ source }) => existsSync(join(folder, source)));
}

export function buildPolicy(folder: string, to: string): Build {
  return builderOf(folder)?.build(folder, to) ?? 'failed';
}

/** What differs between a rebuilt module and the committed one; empty: the same behaviour. */
export async function compareBehaviour(folder: string, rebuilt: string): Promise<readonly string[]> {
  return existsSync(join(folder, ENVELOPES))
    ? compareEnvelopes(folder, rebuilt)
    : compareSuites(folder, rebuilt);
}

/** Cases of modules that read an envelope and write one; what they have to say is told by tests of the server. */
const ENVELOPES = 'tests/envelopes.json';

interface Envelopes {
  readonly entry: string;
  readonly cases: readonly {
    readonly name: string;
    readonly request: unknown;
    readonly settings?: unknown;
  }[];
}

async function compareEnvelopes(folder: string, rebuilt: string): Promise<readonly string[]> {
  const differences: string[] = [];
  const name = basename(folder);
  const { entry, cases } = JSON.parse(await readFile(join(folder, ENVELOPES), 'utf8')) as Envelopes;
  const document = parse(await readFile(join(folder, 'policy.yaml'), 'utf8')) as {
    spec: { settings: unknown };
  };
  const [now, before] = [
    await createWasiHarness(await readFile(rebuilt)),
    await createWasiHarness(await readFile(join(folder, `${name}.wasm`))),
  ];
  for (const item of cases) {
    const settings = 'settings' in item ? item.settings : document.spec.settings;
    const input = JSON.stringify({ request: item.request, settings });
    const [one, other] = [now.run(entry, input), before.run(entry, input)];
    if (one.exitCode === other.exitCode && isSame(one.stdout, other.stdout)) continue;
    differences.push(`${name}: ${item.name}: another answer than the committed module; rebuild it`);
  }
  return differences;
}

async function compareSuites(folder: string, rebuilt: string): Promise<readonly string[]> {
  const differences: string[] = [];
  const name = basename(folder);
  const bytes = await readFile(rebuilt);
  if (isSame(bytes, await readFile(join(folder, `${name}.wasm`)))) return [];
  const harness = await createPluginHarness(bytes);
  for (const file of await Array.fromAsync(glob('tests/*.yaml', { cwd: folder }))) {
    const suite = await loadTestSuite(join(folder, file), (text) => parse(text));
    if (suite.engine !== 'plugin') return [`${name}: another module than the committed one; rebuild it`];
    const committed = await createPluginHarness(await readFile(suite.module));
    for (const item of suite.cases) {
      const label = `${basename(folder)}: ${item.name}`;
      const failures = runTestCase(harness, item);
      if (failures !== 'skipped') differences.push(...failures.map((failure) => `${label}: ${failure}`));
      if (item.review === undefined) continue;
      const input = createPluginInput(item.review, item.settings);
      const [now, before] = [harness.run(input), committed.run(input)];
      if (now.code !== before.code || !isSame(now.output, before.output)) {
        differences.push(`${label}: another answer than the committed module; rebuild it`);
      }
    }
  }
  return differences;
}

function isSame(first: Uint8Array | undefined, second: Uint8Array | undefined): boolean {
  return Buffer.compare(first ?? new Uint8Array(), second ?? new Uint8Array()) === 0;
}

/** Debian's Rust, where no target of rustup is at hand. Only root can. */
function installToolchain(): void {
  const apt = (...parameters: string[]): void => {
    execFileSync('apt-get', ['-qq', ...parameters], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  apt('update');
  apt('install', '--yes', '--no-remove', '--no-install-recommends', ...DEBIAN_PACKAGES);
}

interface Options {
  readonly check: boolean;
  readonly require: boolean;
  readonly installToolchain: boolean;
  readonly out: string | undefined;
  readonly only: string | undefined;
}

export async function main(options: Options, print: (line: string) => void): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'policies-'));
  let code: number = EXIT.done;
  let mayInstall = options.installToolchain && process.getuid?.() === 0;
  try {
    const folders = (await listPolicies()).filter(
      (folder) => basename(folder) === (options.only ?? basename(folder)),
    );
    if (folders.length === 0) {
      print(`no policy \`${options.only}\` with sources in policies/`);
      return EXIT.failed;
    }
    for (const folder of folders) {
      const name = basename(folder);
      const target = options.check ? scratch : (options.out ?? folder);
      const module = join(resolve(target), `${name}.wasm`);
      let result = buildPolicy(folder, module);
      if (result === 'toolchain absent' && mayInstall) {
        mayInstall = false;
        print(`${name}: installing ${DEBIAN_PACKAGES.join(' ')}`);
        installToolchain();
        result = buildPolicy(folder, module);
      }
      const differences = result === 'built' && options.check ? await compareBehaviour(folder, module) : [];
      for (const difference of differences) print(difference);
      print(`${name}: ${differences.length > 0 ? 'differs' : result}`);
      code = worse(code, result, differences.length > 0, options.require);
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
  return code;
}

function worse(code: number, result: Build, differs: boolean, isRequired: boolean): number {
  if (code === EXIT.failed || differs || result === 'failed') return EXIT.failed;
  if (result === 'built') return code;
  return isRequired ? EXIT.failed : EXIT.toolchainAbsent;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean', default: false },
      require: { type: 'boolean', default: false },
      'install-toolchain': { type: 'boolean', default: false },
      out: { type: 'string' },
      only: { type: 'string' },
    },
  });
  process.exitCode = await main(
    {
      check: values.check,
      require: values.require,
      installToolchain: values['install-toolchain'],
      out: values.out,
      only: values.only,
    },
    (line) => process.stdout.write(`${line}\n`),
  );
}
