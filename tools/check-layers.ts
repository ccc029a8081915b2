import { globSync } from 'node:fs';
import { join } from 'node:path';
import { findViolations } from './find-violations.ts';

const root = join(import.meta.dirname, '..');
const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
const problems = findViolations(root, files);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`layers: ${files.length} files, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
