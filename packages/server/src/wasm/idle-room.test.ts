import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdleRoom, type IdleHolder } from './idle-room.ts';

test('who was used longest ago lets go first, and whoever was used last keeps what it has', () => {
  const gone: string[] = [];
  const holder = (name: string): IdleHolder => ({ letGo: () => void gone.push(name) });
  const [a, b, c] = [holder('a'), holder('b'), holder('c')];
  const room = createIdleRoom(10);
  room.note(a, 4);
  room.note(b, 4);
  room.note(a, 4);
  assert.deepEqual(gone, []);
  room.note(c, 4);
  assert.deepEqual(gone, ['b']);
  room.note(b, 30);
  assert.deepEqual(gone, ['b', 'a', 'c']);
  room.note(b, 0);
  room.note(a, 10);
  assert.deepEqual(gone, ['b', 'a', 'c']);
});
