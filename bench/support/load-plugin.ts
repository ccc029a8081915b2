import { performance } from 'node:perf_hooks';
import { pluginEngine } from '../../packages/server/src/engines/plugin/plugin-engine.ts';
import { parsePolicies } from '../../packages/server/src/policy/parse-policies.ts';
import { createWasmRuntime } from '../../packages/server/src/wasm/wasm-runtime.ts';
import { readModule, registryPolicy } from './policies.ts';
import { sound } from './sound.ts';

/** Prints the milliseconds that a fresh process takes from a policy's text to a module that has proved to start. */
const clock = { now: () => performance.now(), wall: () => Date.now() };
const log = { enabled: () => false, log: () => undefined };
const host = { runtime: createWasmRuntime({ clock }), clock, log };
const text = JSON.stringify(registryPolicy());

const started = performance.now();
const policy = sound(parsePolicies(text, { source: 'file', location: 'bench' })[0]?.result);
const module = sound(await pluginEngine.compile(readModule()));
sound((await pluginEngine.admit(module, policy, host)) ?? true);
process.stdout.write(`${performance.now() - started}\n`);
