#!/usr/bin/env node
// JavaScript, alone here: an old Node can read it too, and tell that it is old, and a new one need not load its TypeScript compiler
// (18 MiB that stay) for one file, before compiled code comes from the cache. Nothing that needs a new Node is imported before
// the version is checked.
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const OLDEST_NODE = 26;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `error: portcullis needs Node ${OLDEST_NODE} or newer, and this is ${process.versions.node}; ` +
      'inside a checkout run `npm ci` first and start it with `npm start` or `npx portcullis`\n',
  );
  process.exit(2);
}

// Compiled code is kept in the user's own folder (Node's default is a shared one), which halves the time of a start. The
// variable is for the threads.
process.env['NODE_COMPILE_CACHE'] ??= join(homedir(), '.cache', 'portcullis', 'compiled');
const { enableCompileCache } = await import('node:module');
enableCompileCache();

const { runProgram } = await import('./program.ts');
await runProgram(process.argv);
