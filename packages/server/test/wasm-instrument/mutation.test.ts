import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import { decodeModule } from '../../src/wasm/decode/decode-module.ts';
import { instrumentModule } from '../../src/wasm/instrument/instrument-module.ts';
import { generateModule } from './support/generate-module.ts';
import { Random } from './support/random.ts';
import { wat } from './support/wat.ts';

const INTERESTING = [0x00, 0x01, 0x0b, 0x40, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff] as const;

/** A few bytes changed, left out, doubled, or the end cut off. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const mutant = [...bytes];
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = 8 + random.below(Math.max(1, mutant.length - 8));
    const kind = random.below(6);
    if (kind === 0) mutant[at] = random.below(256);
    else if (kind === 1) mutant[at] = random.pick(INTERESTING);
    else if (kind === 2) mutant[at] = (mutant[at] ?? 0) ^ (1 << random.below(8));
    else if (kind === 3) mutant.splice(at, 1 + random.below(4));
    else if (kind === 4) mutant.splice(at, 0, ...mutant.slice(at, at + 1 + random.below(6)));
    else mutant.length = at;
  }
  return Uint8Array.from(mutant);
}

test('6,000 broken modules: a fault, or a rewrite that is valid; nothing is thrown', () => {
  const random = new Random(2026);
  const outcomes = {
    accepted: 0,
    PC_MODULE_MALFORMED: 0,
    PC_MODULE_FEATURE: 0,
    PC_MODULE_IMPORT: 0,
    PC_MODULE_EXPORT: 0,
  };
  for (let seed = 1; seed <= 60; seed++) {
    const bytes = wat(generateModule(seed, seed % 2 === 0).text);
    for (let mutant = 0; mutant < 100; mutant++) {
      const broken = mutate(bytes, random);
      const where = `seed ${seed}, mutant ${mutant}`;
      const result = instrumentModule(broken);
      if (isFault(result)) {
        assert.ok(result.code in outcomes, `${where}: ${result.code} ${result.message}`);
        outcomes[result.code as keyof typeof outcomes]++;
      } else {
        assert.ok(WebAssembly.validate(broken as Uint8Array<ArrayBuffer>), where);
        assert.ok(WebAssembly.validate(result.bytes), where);
        outcomes.accepted++;
      }
    }
  }
  assert.ok(outcomes.accepted > 250 && outcomes.PC_MODULE_MALFORMED > 1000, JSON.stringify(outcomes));
});

test('every beginning of a module is a fault or valid', () => {
  const bytes = wat(generateModule(7).text);
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.slice(0, length);
    assert.equal(isFault(instrumentModule(cut)), !WebAssembly.validate(cut), `${length} bytes`);
  }
});

test('noise is malformed, however large its claims', () => {
  const random = new Random(1);
  for (let round = 0; round < 3000; round++) {
    const noise = Array.from({ length: random.below(60) }, () => random.below(256));
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...noise);
    const result = decodeModule(bytes);
    if (isFault(result)) assert.match(result.code, /^PC_MODULE_(MALFORMED|FEATURE)$/);
  }
});

test('what V8 finds valid is accepted, or refused for a feature or an import', () => {
  const random = new Random(99);
  let valid = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const bytes = wat(generateModule(seed, seed % 2 === 0).text);
    for (let mutant = 0; mutant < 40; mutant++) {
      const changed = mutate(bytes, random) as Uint8Array<ArrayBuffer>;
      if (!WebAssembly.validate(changed)) continue;
      valid++;
      const result = instrumentModule(changed);
      if (isFault(result)) assert.notEqual(result.code, 'PC_MODULE_MALFORMED', result.message);
    }
  }
  assert.ok(valid > 150, `${valid} valid`);
});
