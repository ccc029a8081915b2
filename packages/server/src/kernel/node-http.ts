import type * as Http from 'node:http';

/**
 * `node:http` without what an import statement does: it asks for every name that the module exports, and some of them load Node's
 * fetch, 40 ms and 15 MiB in each thread.
 */
export const http: typeof Http = process.getBuiltinModule('node:http');
