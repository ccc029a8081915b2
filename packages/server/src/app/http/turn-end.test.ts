import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TurnEnd } from './turn-end.ts';

test('jobs run in their order, not before the end of the turn', async () => {
  const end = new TurnEnd();
  const ran: number[] = [];
  for (const job of [1, 2, 3]) end.add(() => ran.push(job));
  await Promise.resolve();
  assert.deepEqual(ran, []);
  await nextTurn();
  assert.deepEqual(ran, [1, 2, 3]);
});

test('eight jobs wait for nothing', () => {
  const end = new TurnEnd();
  const ran: number[] = [];
  for (let job = 1; job <= 10; job += 1) end.add(() => ran.push(job));
  assert.deepEqual(ran, [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('each job runs once, and one that is added by a job runs too', async () => {
  const end = new TurnEnd();
  const ran: string[] = [];
  end.add(() => {
    ran.push('first');
    end.add(() => ran.push('second'));
  });
  await nextTurn();
  await nextTurn();
  assert.deepEqual(ran, ['first', 'second']);
});
