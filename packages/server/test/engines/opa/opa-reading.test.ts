import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Limits } from '@portcullis/contract';
import * as fc from 'fast-check';
import { ENTRY } from '../../../src/engines/opa/opa-adapter.ts';
import { createOpaCall } from '../../../src/engines/opa/opa-call.ts';
import { gatekeeperEngine } from '../../../src/engines/opa/opa-engine.ts';
import { openGuests, type OpaGuests } from '../../../src/engines/opa/opa-guests.ts';
import { isFault, type Fault } from '../../../src/kernel/fault.ts';
import { createWasmRuntime } from '../../../src/wasm/wasm-runtime.ts';
import type { EngineHost } from '../../../src/engines/engine.ts';
import { clock, createTestHost, noLog } from '../../support/test-host.ts';
import { jsonText, stringText } from './generated-json.ts';

const EXAMPLE = readFileSync(
  join(import.meta.dirname, '../../../../../policies/memory-limits-rego/memory-limits-rego.wasm'),
);
const MIB = 1024 * 1024;
const LIMITS: Limits = { timeoutMs: 60_000, memoryBytes: 64 * MIB, fuel: 2_000_000_000 };
const SEED = 20261121;

interface Reading {
  readonly guests: OpaGuests;
  /** The violations of the example, unless another of its entry points is named by its number. */
  ask(input: string, options?: { entrypoint?: number; byModule?: boolean }): Promise<Answer>;
}

interface Answer {
  readonly said: string | Fault;
  readonly fuel: number;
}

async function open(
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
  host: EngineHost = createTestHost(),
): Promise<Reading> {
  const module = await gatekeeperEngine.compile(bytes);
  assert.ok(!isFault(module));
  const guests = openGuests({ module, limits: { ...LIMITS, ...limits }, host }, '{"max":"512Mi"}');
  assert.equal(await guests.prepare(clock.now() + LIMITS.timeoutMs), undefined);
  return {
    guests,
    async ask(text, { entrypoint = 0, byModule = false } = {}) {
      const { description } = guests;
      const input = [Buffer.from(text)];
      const call = createOpaCall(host, { description, data: [], input, policy: 'tested' });
      const deadline = host.clock.now() + LIMITS.timeoutMs;
      // What has not been offered as steps is evaluated in one call, which takes a text.
      const args = [Buffer.byteLength(text), entrypoint, 1, byModule ? 0 : 1];
      const run = await guests.sandbox.run(ENTRY.evaluate, call, deadline, args);
      if (isFault(run)) return { said: call.fault ?? run, fuel: Number(run.data['fuel']) };
      return { said: Buffer.from(call.result ?? '', 'latin1').toString(), fuel: run.fuel };
    },
  };
}

/** The example with another start of its hashes, in all places: as good as it was, and laid out in another way. */
function altered(): Uint8Array {
  const bytes = Buffer.from(EXAMPLE);
  const start = Buffer.from([0x41, 0xc5, 0xbb, 0xf2, 0x88, 0x78]);
  let count = 0;
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) {
    bytes[at + 1] = 0xc7;
    count += 1;
  }
  assert.ok(count > 0);
  return bytes;
}

function inputOf(containers: string, more = '1'): string {
  return `{"parameters":{"max":"512Mi"},"review":{"object":{"more":${more},"spec":{"containers":${containers}}}}}`;
}
const DENIED = '[{"result":[{"msg":"container \\"web\\" may use 1Gi of memory; the most is 512Mi"}]}]';
const POD = '[{"name":"web","resources":{"limits":{"memory":"1Gi"}}}]';

test('a module as OPA compiles it has its inputs read, one that lays values out in another way reads them itself; both answer alike', async () => {
  const [plain, other] = [await open(EXAMPLE), await open(altered())];
  assert.equal(plain.guests.description.isReadDirectly, true);
  assert.equal(other.guests.description.isReadDirectly, false);
  for (const more of ['1', '{"a":[1,{"b":"\\u00e9"}]}', `[${'1,'.repeat(5000)}1]`]) {
    const input = inputOf(POD, more);
    const answers = [plain.ask(input), plain.ask(input, { byModule: true }), other.ask(input)];
    for (const answer of answers) assert.equal((await answer).said, DENIED);
  }
  const [direct, itself] = [await plain.ask(inputOf(POD)), await other.ask(inputOf(POD))];
  assert.ok(direct.fuel < itself.fuel, `${direct.fuel} and ${itself.fuel}`);
});

test('what the reader does not read is read by the module, in the same heap', async () => {
  const { ask } = await open(EXAMPLE);
  // It gives up at the pair of surrogates, when all before has been made, and some texts have been decoded where they stood.
  const named = (more: string): string => inputOf(`[{"name":"\\u0077\\n","x":${more}}]`);
  const [plain, left] = [await ask(named('"\\u20ac"')), await ask(named('"\\ud83d\\ude00"'))];
  assert.match(String(plain.said), /container \\"w\\\\n\\" has no memory limit/);
  assert.equal(left.said, plain.said);
});

test('looked up, compared, iterated and printed, an input is what it is when the module reads it', async () => {
  const { ask } = await open(EXAMPLE);
  const amount = fc.oneof(
    fc.constantFrom(
      '"1Gi"',
      '"512Mi"',
      '"5e8"',
      '536870912',
      '536870913',
      '1e9',
      '0.5',
      '"x"',
      '""',
      'null',
      'true',
    ),
    jsonText,
  );
  const container = fc
    .tuple(stringText, amount, jsonText)
    .map(
      ([name, memory, more]) => `{"resources":{"limits":{"memory":${memory}}},"name":${name},"more":${more}}`,
    );
  await fc.assert(
    fc.asyncProperty(fc.array(container, { maxLength: 12 }), jsonText, async (containers, more) => {
      const input = inputOf(`[${containers.join(',')}]`, more);
      const [read, itself] = [await ask(input), await ask(input, { byModule: true })];
      assert.equal(sayOf(read), sayOf(itself));
    }),
    { seed: SEED, numRuns: 150 },
  );
});

function sayOf({ said }: Answer): string {
  return isFault(said) ? `${said.code}: ${said.message}` : said;
}

test('memory that ends while an input is read is a fault, wherever it ends', async () => {
  const input = inputOf('[]', `[${'{"a":[1]},'.repeat(3000)}1]`);
  const seen = new Set<string>();
  for (let pages = 4; pages <= 32; pages += 1) {
    const { ask, guests } = await open(EXAMPLE, { memoryBytes: pages * 65_536 });
    const { said } = await ask(input);
    seen.add(isFault(said) ? said.code : said);
    assert.equal(sayOf(await ask(inputOf(POD))), DENIED, 'the next input is not affected');
    guests.close();
  }
  assert.deepEqual([...seen].sort(), ['PC_OPA_ABORT', '[{"result":[]}]']);
});

test('fuel that ends while an input is read is a fault, wherever it ends', async () => {
  const input = inputOf('[]', `[${'{"a":["b\\n"]},'.repeat(2000)}1]`);
  const { fuel } = await (await open(EXAMPLE)).ask(input);
  for (let part = 0.2; part < 1; part += 0.05) {
    const { ask } = await open(EXAMPLE, { fuel: Math.floor(fuel * part) });
    const { said } = await ask(input);
    assert.ok(isFault(said) && said.code === 'PC_WASM_FUEL', sayOf({ said, fuel }));
  }
});

test('7 MiB are read in slices, at the same fuel as in one go', async () => {
  const SIZE = 7 * MIB;
  const shapes = {
    string: `"${'x'.repeat(SIZE)}"`,
    escapes: `"${'\\n'.repeat(SIZE / 2)}"`,
    blanks: ' '.repeat(SIZE) + '1',
    number: '7'.repeat(SIZE),
    key: `{"${'k'.repeat(SIZE)}":1}`,
    arrays: `[${'[],'.repeat(SIZE / 3)}1]`,
    members: `{${Array.from({ length: SIZE / 14 }, (_, index) => `"${index}":"x"`).join()}}`,
  };
  for (const [name, text] of Object.entries(shapes)) {
    const input = inputOf('[]', text);
    const limits = { memoryBytes: 512 * MIB };
    let parked = 0;
    const runtime = createWasmRuntime({ clock, sliceMs: 0 });
    const park = runtime.park.bind(runtime);
    runtime.park = (guest) => {
      parked += 1;
      park(guest);
    };
    const sliced = await open(EXAMPLE, limits, { runtime, clock, log: noLog });
    const whole = await open(EXAMPLE, limits, {
      runtime: createWasmRuntime({ clock, sliceMs: 1e9 }),
      clock,
      log: noLog,
    });
    parked = 0;
    const [one, other] = [await sliced.ask(input), await whole.ask(input)];
    assert.equal(sayOf(one), '[{"result":[]}]', name);
    assert.deepEqual(other, one, name);
    // Each byte is gone over for a unit at least, and half a million units is the most that it is granted at once.
    assert.ok(parked >= SIZE / 2 ** 19 - 1, `${name}: ${parked}`);
    sliced.guests.close();
    whole.guests.close();
  }
});

test('what is nested without end is a fault of the module, and the host goes on', async () => {
  const { ask } = await open(EXAMPLE);
  for (const text of [
    '['.repeat(200_000) + ']'.repeat(200_000),
    '{"a":'.repeat(200_000) + '1' + '}'.repeat(200_000),
  ]) {
    const { said } = await ask(inputOf(POD, text));
    assert.ok(isFault(said), 'an answer');
    assert.match(said.code, /^PC_WASM_(?:STACK|TRAP)$/);
    assert.equal(sayOf(await ask(inputOf(POD))), DENIED);
  }
});

test('keys made to share a bucket are paid for', async () => {
  const { ask } = await open(EXAMPLE);
  const alike = collidingKeys(400);
  const wide = (keys: readonly string[]): string =>
    inputOf('[]', `{${keys.map((key) => `"${key}":1`).join()}}`);
  const other = alike.map((_, index) => String(index).padStart(8, '0'));
  const [collided, spread] = [await ask(wide(alike)), await ask(wide(other))];
  assert.equal(collided.said, '[{"result":[]}]');
  assert.ok(collided.fuel - spread.fuel > (30 * alike.length ** 2) / 4, `${collided.fuel}, ${spread.fuel}`);
});

/** Of eight characters, with the same last 13 bits of their hash. */
function collidingKeys(count: number): string[] {
  const keys: string[] = [];
  for (let number = 0; keys.length < count; number += 1) {
    const key = number.toString(36).padStart(8, 'a');
    let hash = 0x811c9dc5;
    for (const character of key) hash = Math.imul(hash, 0x01000193) ^ character.charCodeAt(0);
    if ((hash & 0x1fff) === 0) keys.push(key);
  }
  return keys;
}
