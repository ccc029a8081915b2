import { basename } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** A reporter that writes one line for each suite when it is done: how long it took, and what came of it. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from there
export default async function* suiteTimes(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:summary' || event.data.file === undefined) continue;
    const { counts, duration_ms: milliseconds, file } = event.data;
    const bad = counts.tests - counts.passed - counts.skipped;
    const name = basename(file, '.e2e.ts');
    yield `e2e: ${name}: ${(milliseconds / 1000).toFixed(1)} s, ${counts.passed} of ${counts.tests} passed${bad > 0 ? `, ${bad} did not` : ''}\n`;
  }
}
