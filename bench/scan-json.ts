/** One pass of the scanner over a pod review, beside what JSON.parse takes for the same bytes. */
import { createJsonScanner } from '../packages/server/src/kernel/json/scan-json.ts';
import { createJsonShape } from '../packages/server/src/kernel/json/json-shape.ts';
import { podReview } from './pod-review.ts';

const shape = createJsonShape({
  apiVersion: 'apiVersion',
  kind: 'kind',
  request: 'request',
  uid: 'request/uid',
  name: 'request/name',
  operation: 'request/operation',
  object: 'request/object',
  oldObject: 'request/oldObject',
});
const scanner = createJsonScanner(shape);

/** Microseconds per run: the best of several rounds, because other work on the machine only ever adds. */
function measure(run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < 20; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < 2000; index++) run();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 2000 / 1000);
  }
  return best;
}

export function benchScanJson(): Record<string, Record<string, string>> {
  const rows: Record<string, Record<string, string>> = {};
  for (const [name, bytes] of Object.entries({ 'compact, 5.6 KB': podReview(), indented: podReview(2) })) {
    const scan = measure(() => scanner.scan(bytes));
    const parse = measure(() => JSON.parse(bytes.toString()));
    rows[name] = {
      bytes: String(bytes.length),
      'scan µs': scan.toFixed(2),
      'JSON.parse µs': parse.toFixed(2),
      ratio: (scan / parse).toFixed(2),
    };
  }
  return rows;
}

// eslint-disable-next-line no-console -- a benchmark's result is what it prints
if (import.meta.main) console.table(benchScanJson());
