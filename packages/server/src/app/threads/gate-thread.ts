import { parentPort, workerData } from 'node:worker_threads';
import { runGateThread } from './run-gate-thread.ts';
import type { GateThreadData } from './gate-thread-data.ts';

// Entry of a gate thread: the one module here that does something when it is loaded.
if (parentPort === null) throw new TypeError('this module runs in a worker thread');
runGateThread(parentPort, workerData as GateThreadData);
