export { applyPatch } from './apply-patch.ts';
export type { JsonObject, JsonValue } from './json-value.ts';
export type { PluginAnswer, PluginError } from './plugin-answer.ts';
export { createPluginHarness, type PluginHarness } from './plugin-harness.ts';
export { createPluginInput, type PluginInput, type ReviewInShort } from './plugin-input.ts';
export { runTestCase, type TestResult } from './run-test-case.ts';
export { loadTestSuite, SUITE_KEYS, type Expectation, type TestCase, type TestSuite } from './test-suite.ts';
export type { PluginRun } from './plugin-run.ts';
export { createWasiHarness, type WasiHarness, type WasiRun } from './wasi-harness.ts';
