import { wasiEngine } from '../../../src/engines/wasi/wasi-engine.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';
import { describeEngineContract, type EngineFixtures } from './describe-engine-contract.ts';
import { watBytes } from './wat-bytes.ts';

const envelope = (response: string): string =>
  `{"response":{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":${response}}}`;
const ALLOW = envelope('{"uid":"uid-1","allowed":true}');
const DENY = envelope('{"uid":"uid-1","allowed":false,"status":{"message":"no"}}');
const PAGES = 80;
const OUTSIDE = PAGES * 65_536;
/** Where lists of buffers are written. */
const LIST = 60_000;

/** A module whose function does this; the data lies at 0. */
function guest(entry: string, body: string, data: Uint8Array | string = ''): Uint8Array {
  return wat(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") ${PAGES})
    (data (i32.const 0) "${watBytes(Buffer.from(data))}")
    (func (export "${entry}") ${body}))`);
}

const list = (pointer: number, length: number): string =>
  `(i32.store (i32.const ${LIST}) (i32.const ${pointer})) (i32.store (i32.const ${LIST + 4}) (i32.const ${length}))`;
const io = (call: string, fd: number, at = LIST, told = LIST + 8): string =>
  `(call ${call} (i32.const ${fd}) (i32.const ${at}) (i32.const 1) (i32.const ${told}))`;
const write = (pointer: number, length: number): string =>
  `${list(pointer, length)} (drop ${io('$write', 1)})`;
/** An allow, unless the call told of an error. */
const trusting = (call: string): string => `(if ${call} (then (return))) ${write(0, ALLOW.length)}`;

const refused = (rest: string): Uint8Array =>
  wat(`(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))) ${rest})`);

/** The same for a module with an export of its own and for a command. */
function fixturesOf(entry: string): EngineFixtures {
  const doing = (body: string, data: Uint8Array | string = ''): Uint8Array => guest(entry, body, data);
  return {
    engine: wasiEngine,
    allow: ALLOW,
    deny: DENY,
    answering: (output) => doing(write(0, output.length), output),
    garbage: [
      ALLOW + ALLOW,
      '{"response":null,"error":null}',
      '{"response":34}',
      '{"error":7}',
      envelope('null'),
      envelope('{"uid":"uid-1"}'),
      envelope('{"uid":"uid-1","allowed":"true"}'),
      envelope('{"uid":"uid-2","allowed":true}'),
      envelope('{"allowed":true}'),
      envelope('{"uid":"uid-1","allowed":true,"warnings":["a",1]}'),
      envelope('{"uid":"uid-1","allowed":true,"auditAnnotations":{"a":1}}'),
      envelope('{"uid":"uid-1","allowed":true,"patch":1}'),
      envelope('{"uid":"uid-1","allowed":false,"status":"no"}'),
      ALLOW.replace('v1', 'v1beta1'),
      ALLOW.replace('"kind":"AdmissionReview",', ''),
    ],
    garbageCode: 'PC_WASI_OUTPUT',
    // What fits is written, and is a whole answer.
    oversized: {
      module: doing(write(0, ALLOW.length) + write(0, 4 * 1024 * 1024), ALLOW),
      code: 'PC_WASI_OUTPUT',
    },
    trapping: { module: doing(`${write(0, ALLOW.length)} unreachable`, ALLOW), code: 'PC_WASM_TRAP' },
    endless: doing('(loop (br 0))'),
    badPointers: {
      'an answer': { module: doing(write(OUTSIDE - 8, ALLOW.length), ALLOW), code: 'PC_WASI_OUTPUT' },
      'a list of buffers': {
        module: doing(trusting(io('$write', 2, OUTSIDE - 4)), ALLOW),
        code: 'PC_WASI_OUTPUT',
      },
      'a buffer for the input': {
        module: doing(`${list(-16, 64)} ${trusting(io('$read', 0))}`, ALLOW),
        code: 'PC_WASI_OUTPUT',
      },
      'a place for the count': {
        module: doing(`${list(1000, 8)} ${trusting(io('$read', 0, LIST, -2))}`, ALLOW),
        code: 'PC_WASI_OUTPUT',
      },
      'a buffer for random bytes': {
        module: doing(trusting(`(call $random (i32.const ${OUTSIDE - 1}) (i32.const 64))`), ALLOW),
        code: 'PC_WASI_OUTPUT',
      },
    },
    growing: doing(
      `${list(4096, 100)} (drop ${io('$read', 0)}) (drop (memory.grow (i32.const 16)))
       ${list(OUTSIDE + 8, 100)} (drop ${io('$read', 0)})
       (memory.copy (i32.const ${OUTSIDE + 500_000}) (i32.const 0) (i32.const ${DENY.length}))
       ${write(OUTSIDE + 500_000, DENY.length)}`,
      DENY,
    ),
    refused: {
      'no function for the gate': refused('(memory (export "memory") 1) (func (export "authn"))'),
      'a function of another name': refused('(memory (export "memory") 1) (func (export "Validate"))'),
      'an entry that is no function': refused(
        `(memory (export "memory") 1) (global (export "${entry}") i32 (i32.const 0))`,
      ),
      'an entry with a result': refused(
        `(memory (export "memory") 1) (func (export "${entry}") (result i32) (i32.const 0))`,
      ),
      'an entry with a parameter': refused(
        `(memory (export "memory") 1) (func (export "${entry}") (param i32))`,
      ),
      'an import that nobody offers': wat(`(module (import "wasi_snapshot_preview2" "open" (func))
        (memory (export "memory") 1) (func (export "${entry}")))`),
      'an import of another type':
        wat(`(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))
        (memory (export "memory") 1) (func (export "${entry}")))`),
    },
    host: 'modules of this dialect have nothing to ask of the host',
  };
}

describeEngineContract('wasi', fixturesOf('validate'));
describeEngineContract('wasi, of commands', fixturesOf('_start'));
