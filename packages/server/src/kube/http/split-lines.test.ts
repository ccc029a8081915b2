import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fault } from '../../kernel/fault.ts';
import { createLineSplitter } from './split-lines.ts';

test('lines come whole and in order, wherever the chunks end, and what has no newline is not told', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll('\n', ' '))),
      fc.string(),
      fc.array(fc.nat(), { maxLength: 9 }),
      (lines, tail, cuts) => {
        const bytes = Buffer.from(`${lines.join('\n')}\n\n${tail.replaceAll('\n', ' ')}`);
        const found: string[] = [];
        const splitter = createLineSplitter(1e6, (line) => {
          found.push(line.toString());
          return undefined;
        });
        const ends = [
          ...cuts.map((cut) => cut % bytes.length).sort((left, right) => left - right),
          bytes.length,
        ];
        let start = 0;
        for (const end of ends) {
          splitter.push(bytes.subarray(start, end));
          start = end;
        }
        assert.deepEqual(found, lines);
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});

test('a line that is too long, and a fault of the reader, end it', () => {
  const splitter = createLineSplitter(8, () => undefined);
  assert.equal(splitter.push(Buffer.from('1234\n12345')), undefined);
  assert.equal(splitter.push(Buffer.from('6789'))?.message, 'a line of the watch is longer than 8 bytes');
  const fault = new Fault('PC_KUBE_ANSWER', 'no');
  let calls = 0;
  const refusing = createLineSplitter(8, () => {
    calls += 1;
    return fault;
  });
  assert.equal(refusing.push(Buffer.from('a\nb\n')), fault);
  assert.equal(calls, 1);
});
