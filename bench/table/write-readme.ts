import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { figureTable } from './figure-table.ts';

const README = join(import.meta.dirname, '../README.md');
const START = '<!-- figures -->\n';
const END = '<!-- /figures -->\n';

/** Replaces what stands between the two marks. */
export function writeReadme(figures: readonly Figure[]): void {
  const text = readFileSync(README, 'utf8');
  const start = text.indexOf(START) + START.length;
  const end = text.indexOf(END);
  if (start < START.length || end < start) throw new Error(`${README} has lost its marks for the figures`);
  const date = new Date().toISOString().slice(0, 10);
  const memory = Math.round(totalmem() / 1024 ** 3);
  const machine = `${date}, ${availableParallelism()} cores, ${memory} GiB of memory, Node ${process.versions.node}:`;
  writeFileSync(README, `${text.slice(0, start)}\n${machine}\n\n${figureTable(figures)}\n${text.slice(end)}`);
}
