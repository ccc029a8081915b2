import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createSettle } from './settle.ts';

function setUp(t: TestContext): {
  readonly happened: ReturnType<typeof createSettle>;
  readonly runs: () => number;
} {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let runs = 0;
  return { happened: createSettle(100, 1000, () => (runs += 1)), runs: () => runs };
}

test('a burst is answered once, after it is over', (t) => {
  const { happened, runs } = setUp(t);
  for (let event = 0; event < 5; event += 1) {
    happened();
    t.mock.timers.tick(99);
  }
  assert.equal(runs(), 0);
  t.mock.timers.tick(1);
  assert.equal(runs(), 1);
  t.mock.timers.tick(5000);
  assert.equal(runs(), 1);
});

test('what never rests is answered all the same', (t) => {
  const { happened, runs } = setUp(t);
  for (let event = 0; event < 30; event += 1) {
    happened();
    t.mock.timers.tick(99);
  }
  assert.equal(runs(), 2, '2970 ms of events: one answer a second');
});

test('what is cancelled is not answered', (t) => {
  const { happened, runs } = setUp(t);
  happened();
  happened.cancel();
  t.mock.timers.tick(5000);
  assert.equal(runs(), 0);
  happened();
  t.mock.timers.tick(100);
  assert.equal(runs(), 1);
});
