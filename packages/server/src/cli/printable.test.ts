import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleText } from 'node:util';
import { printable } from './printable.ts';

const STEERING: readonly (readonly [name: string, text: string, shown: string])[] = [
  ['clearing the screen', 'denied\u001b[2J\u001b[H', 'denied\\u001b[2J\\u001b[H'],
  ['the title of the window', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
  ['text that nobody sees', '\u001b[8mhidden\u001b[30m', '\\u001b[8mhidden\\u001b[30m'],
  ['going back over the line', 'denied\rallowed\b\u007f', 'denied\\u000dallowed\\u0008\\u007f'],
  ['sequences in one character', '\u009b2J\u009d0;x\u009c', '\\u009b2J\\u009d0;x\\u009c'],
  ['text that runs the other way', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['half a character', 'a\ud800', 'a\\ud800'],
];

for (const [name, text, shown] of STEERING) {
  test(`${name} is shown, not done`, () => assert.equal(printable(text), shown));
}

test('plain text, lines, tabs and our own colours stay', () => {
  const painted = (['red', 'green', 'yellow', 'bold'] as const).map((style) =>
    styleText(style, 'x', { validateStream: false }),
  );
  const text = `línea\tüber\n日本 👩‍👩‍👧 ${painted.join(' ')}`;
  assert.equal(printable(text), text);
});

test('JSON means the same', () => {
  const value = { message: 'a\u001b[2J\u009b\u007f\u202e"\\' };
  assert.deepEqual(JSON.parse(printable(JSON.stringify(value))), value);
});
