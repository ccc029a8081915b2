import assert from 'node:assert/strict';
import type { PolicySpec, Review, Verdict } from '@portcullis/contract';
import type { EngineHost } from '../../../../src/engines/engine.ts';
import { wasiEngine } from '../../../../src/engines/wasi/wasi-engine.ts';
import { isFault } from '../../../../src/kernel/fault.ts';
import { jsonDocumentOf } from '../../../../src/kernel/json/json-document.ts';
import { makePolicy } from '../../../support/make-policy.ts';
import { makeReview } from '../../../support/make-review.ts';
import { clock, createTestHost } from '../../../support/test-host.ts';
import { wat } from '../../../wasm-instrument/support/wat.ts';
import { watBytes } from '../../contract/wat-bytes.ts';

/** Where the data of a guest lies. */
export const DATA = 1024;

/** A module with one function, under each of these names, that does this; the texts lie one after another at `DATA`. */
export function guest(
  entries: readonly string[],
  body: string,
  texts: readonly string[] = [],
): Uint8Array<ArrayBuffer> {
  const names = entries.map((name) => `(export "${name}")`).join(' ');
  return wat(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 2)
    (global $runs (mut i32) (i32.const 0))
    (data (i32.const ${DATA}) "${watBytes(Buffer.from(texts.join('')))}")
    (func ${names} ${body}))`);
}

/** Writes the text with this index to a stream. */
export function say(texts: readonly string[], index: number, fd = 1): string {
  const at = DATA + Buffer.byteLength(texts.slice(0, index).join(''));
  const length = Buffer.byteLength(texts[index] ?? '');
  return `(i32.store (i32.const 0) (i32.const ${at})) (i32.store (i32.const 4) (i32.const ${length}))
    (drop (call $write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 8)))`;
}

export const envelope = (response: unknown): string => JSON.stringify({ response });

export const admission = (response: object): string =>
  envelope({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'uid-1', ...response },
  });

export function tokenReview(token: string): Review {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: ['https://api.example.org'] },
  };
  return makeReview({}, { gate: 'authentication', request: jsonDocumentOf(request) });
}

export function accessReview(verb: string): Review {
  const request = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'ana', groups: ['desk'], resourceAttributes: { verb, resource: 'pods', version: 'v1' } },
  };
  return makeReview({}, { gate: 'authorization', request: jsonDocumentOf(request) });
}

export interface Question {
  readonly review?: Review;
  readonly spec?: Partial<PolicySpec>;
  readonly host?: Partial<EngineHost>;
}

/** What a module answers, asked so often one after another. */
export async function verdictsOf(
  bytes: Uint8Array,
  { review = makeReview(), spec = {}, host = {} }: Question = {},
  count = 1,
): Promise<readonly Verdict[]> {
  const module = await wasiEngine.compile(bytes);
  assert.ok(!isFault(module), isFault(module) ? module.message : '');
  const policy = makePolicy('tested', { gate: review.gate, settings: null, ...spec });
  const thread = { ...createTestHost(), ...host };
  assert.equal(await wasiEngine.admit(module, policy, thread), undefined);
  const evaluator = wasiEngine.open(module, policy, thread);
  const verdicts: Verdict[] = [];
  for (let run = 0; run < count; run++)
    verdicts.push((await evaluator.evaluate(review, clock.now() + 60_000)).verdict);
  evaluator.close();
  return verdicts;
}

export async function verdictOf(bytes: Uint8Array, question?: Question): Promise<Verdict> {
  const [verdict] = await verdictsOf(bytes, question);
  assert.ok(verdict !== undefined);
  return verdict;
}

/** What a module says that writes this, as its function for the gate of the review. */
export function answered(output: string, question?: Question): Promise<Verdict> {
  return verdictOf(guest(['validate', 'authn', 'authz'], say([output], 0), [output]), question);
}
