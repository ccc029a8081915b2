import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Policy } from '@portcullis/contract';
import { createPolicyLoader, type PolicyLoader } from '../../src/chain/policy-loader.ts';
import type { PolicySet } from '../../src/chain/policy-set.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { createModuleResolver } from '../../src/sources/module-resolver.ts';
import type { DocumentReading, ModuleSource } from '../../src/sources/source.ts';
import { makePolicy } from '../support/make-policy.ts';
import { allow, createScriptedEngine } from '../support/scripted-engine.ts';
import { createTestHost } from '../support/test-host.ts';

/** What stands in a container: a policy with a module, a broken document with or without a name. */
type Content = { name: string; order: number; file: string } | { broken: true; name?: string };

/** Documents and module files as a user edits them. */
interface World {
  readonly documents: Map<string, DocumentReading>;
  /** Module files: `no!` does not compile, an absent one cannot be read. */
  readonly files: Map<string, { readonly script: string; readonly version: number }>;
  edits: number;
}

type Edit =
  | { readonly write: string; readonly content: Content }
  | { readonly move: string; readonly to: string }
  | { readonly remove: string }
  | { readonly warn: string; readonly about: string }
  | { readonly module: string; readonly script: string | undefined };

const CONTAINERS = ['/p/a', '/p/b', '/p/c', '/q'] as const;
const FILES = ['x', 'y'] as const;
const container = fc.constantFrom(...CONTAINERS);
const name = fc.constantFrom('one', 'two', 'three');
const policy = fc.record({ name, order: fc.integer({ min: 0, max: 2 }), file: fc.constantFrom(...FILES) });
const broken: fc.Arbitrary<Content> = fc.oneof(
  fc.constant({ broken: true } as const),
  name.map((known) => ({ broken: true, name: known }) as const),
);
const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ write: container, content: fc.oneof({ weight: 4, arbitrary: policy }, broken) }),
  },
  { weight: 1, arbitrary: fc.record({ move: container, to: container }) },
  { weight: 1, arbitrary: fc.record({ remove: container }) },
  { weight: 1, arbitrary: fc.record({ warn: container, about: fc.constantFrom('this', 'that') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      module: fc.constantFrom(...FILES),
      script: fc.constantFrom('yes', 'two', 'no!', undefined),
    }),
  },
);

function apply(world: World, edit: Edit): void {
  world.edits += 1;
  if ('write' in edit) {
    world.documents.set(edit.write, readingOf(edit.write, edit.content));
  } else if ('move' in edit) {
    const moved = world.documents.get(edit.move);
    world.documents.delete(edit.move);
    if (moved !== undefined) world.documents.set(edit.to, { ...moved, container: edit.to });
  } else if ('remove' in edit) {
    world.documents.delete(edit.remove);
  } else if ('warn' in edit) {
    const known = world.documents.get(edit.warn);
    if (known !== undefined) world.documents.set(edit.warn, { ...known, warnings: [edit.about] });
  } else if (edit.script === undefined) {
    world.files.delete(edit.module);
  } else {
    world.files.set(edit.module, { script: edit.script, version: world.edits });
  }
}

function readingOf(where: string, content: Content): DocumentReading {
  if ('broken' in content) {
    const result = new Fault('PC_POLICY_SYNTAX', `${where}: broken`);
    return { container: where, result, ...(content.name === undefined ? {} : { name: content.name }) };
  }
  const { name: called, order, file } = content;
  return { container: where, result: makePolicy(called, { engine: 'plugin', order, module: { file } }) };
}

/** Without shortcuts no document is the one of before and no module has a version. */
function loaderOf(
  world: World,
  shortcuts: boolean,
): { readonly loader: PolicyLoader; readonly sets: PolicySet[] } {
  const sets: PolicySet[] = [];
  const read = async (): Promise<readonly DocumentReading[]> => {
    const readings = CONTAINERS.flatMap((where) => world.documents.get(where) ?? []);
    return shortcuts ? readings : readings.map(anew);
  };
  const modules: ModuleSource = {
    place: 'file',
    ...(shortcuts ? { version: async (asked: Policy) => versionOf(world, asked) } : {}),
    fetch: async ({ spec }) => {
      const file = world.files.get(spec.module.file ?? '');
      return file === undefined ? new Fault('PC_MODULE_MISSING', 'no file') : Buffer.from(file.script);
    },
  };
  const loader = createPolicyLoader({
    sources: [{ name: 'world', read, watch: () => () => undefined }],
    modules: createModuleResolver([modules], 1000),
    engines: new Map([['plugin', createScriptedEngine({ yes: () => allow, two: () => allow })]]),
    host: createTestHost(),
    publish: (set) => void sets.push(set),
  });
  return { loader, sets };
}

function anew(reading: DocumentReading): DocumentReading {
  return reading.result instanceof Fault ? reading : { ...reading, result: structuredClone(reading.result) };
}

function versionOf({ files }: World, { spec: { module } }: Policy): string | undefined {
  const file = files.get(module.file ?? '');
  return file === undefined ? undefined : `${module.file} ${file.version}`;
}

test('reloads that look only at what has changed end where reloads of everything end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyEdit, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
      async (rounds) => {
        const world: World = { documents: new Map(), files: new Map(), edits: 0 };
        for (const file of FILES) apply(world, { module: file, script: 'yes' });
        const [quick, plain] = [loaderOf(world, true), loaderOf(world, false)];
        for (const edits of rounds) {
          for (const each of edits) apply(world, each);
          const [report, expected] = [
            await quick.loader.reload(),
            await plain.loader.reload({ refresh: true }),
          ];
          assert.deepEqual(report, expected);
          assert.deepEqual(quick.loader.statuses(), plain.loader.statuses());
          assert.deepEqual(quick.loader.policies(), plain.loader.policies());
          assert.deepEqual(quick.sets.at(-1), plain.sets.at(-1));
          assert.equal((await quick.loader.reload()).changed, false);
        }
      },
    ),
    { seed: 23, numRuns: 400 },
  );
});
