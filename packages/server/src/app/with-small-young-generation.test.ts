import { ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { withSmallYoungGeneration } from './with-small-young-generation.ts';

const MEBIBYTE = 1024 ** 2;
const MUCH = 400_000;
const ALIVE = 60_000;

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

/** Makes what lives long enough to be copied. */
function work(): void {
  const alive: object[] = [];
  for (let index = 0; index < MUCH; index += 1) {
    alive.push({ index, text: `x${index}` });
    if (alive.length > ALIVE) alive.splice(0, ALIVE / 2);
  }
}

test('the young generation does not grow while something is loaded, and grows afterwards', async () => {
  const before = youngBytes();
  await withSmallYoungGeneration(async () => work());
  ok(youngBytes() - before < MEBIBYTE, `${youngBytes() - before} bytes`);
  await rejects(withSmallYoungGeneration(() => Promise.reject(new Error('wished for'))));
  work();
  ok(youngBytes() - before > MEBIBYTE, `${youngBytes() - before} bytes`);
});
