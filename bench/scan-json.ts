/** One pass of the scanner over a pod review and the reading of that review, beside what JSON.parse takes for the same bytes. */
import { createJsonScanner } from '../packages/server/src/kernel/json/scan-json.ts';
import { createJsonShape } from '../packages/server/src/kernel/json/json-shape.ts';
import { parseAdmissionReview } from '../packages/server/src/gates/kube-admission/parse-admission-review.ts';
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

const RUNS = 2000;

/** Microseconds of processor time per run: the best of several rounds, because other work on the machine only ever adds. */
function measure(run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < 30; round++) {
    const start = process.cpuUsage();
    for (let index = 0; index < RUNS; index++) run();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / RUNS);
  }
  return best;
}

export function benchScanJson(): Record<string, Record<string, string>> {
  const rows: Record<string, Record<string, string>> = {};
  for (const [name, bytes] of Object.entries({ 'compact, 5.6 KB': podReview(), indented: podReview(2) })) {
    const scan = measure(() => scanner.scan(bytes));
    const review = measure(() => parseAdmissionReview(bytes, 0));
    const parse = measure(() => JSON.parse(bytes.toString()));
    rows[name] = {
      bytes: String(bytes.length),
      'scan µs': scan.toFixed(2),
      'review µs': review.toFixed(2),
      'JSON.parse µs': parse.toFixed(2),
      ratio: (scan / parse).toFixed(2),
    };
  }
  return rows;
}

// eslint-disable-next-line no-console -- a benchmark's result is what it prints
if (import.meta.main) console.table(benchScanJson());
