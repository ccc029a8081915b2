import { pluginEngine } from '../../../src/engines/plugin/plugin-engine.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';
import { describeEngineContract } from './describe-engine-contract.ts';
import { watBytes } from './wat-bytes.ts';

const ALLOW = '{"allowed":true}';
const DENY = '{"allowed":false,"message":"no"}';
const PAGES = 80;

/** A plugin whose `validate` does this; the data lies at 0. */
function plugin(body: string, data: Uint8Array | string = ''): Uint8Array {
  return wat(`(module
    (import "env" "get_input_len" (func $length (result i32)))
    (import "env" "read_input" (func $read (param i32 i32) (result i32)))
    (import "env" "write_output" (func $write (param i32 i32) (result i32)))
    (import "env" "log_message" (func $log (param i32 i32)))
    (memory (export "memory") ${PAGES})
    (data (i32.const 0) "${watBytes(Buffer.from(data))}")
    (func (export "validate") (result i32) ${body}))`);
}

const write = (pointer: number, length: number): string =>
  `(drop (call $write (i32.const ${pointer}) (i32.const ${length})))`;
const RETURN = '(i32.const 0)';
const refused = (rest: string): Uint8Array =>
  wat(`(module (import "env" "read_input" (func (param i32 i32) (result i32))) ${rest})`);
const OUTSIDE = PAGES * 65_536;

describeEngineContract('plugin', {
  engine: pluginEngine,
  allow: ALLOW,
  deny: DENY,
  answering: (output) => plugin(write(0, output.length) + RETURN, output),
  garbage: [
    '{"allowed":true,"message":7}',
    '{"allowed":true,"warnings":"x"}',
    '{"allowed":true,"errors":[1]}',
    '{"allowed":true,"auditAnnotations":{"a":1}}',
  ],
  garbageCode: 'PC_PLUGIN_OUTPUT',
  silenceAllows: 'the ABI says that a return code of 0 without output allows',
  oversized: {
    module: plugin(write(0, ALLOW.length) + write(0, 4 * 1024 * 1024 + 1) + RETURN, ALLOW),
    code: 'PC_PLUGIN_OUTPUT',
  },
  trapping: { module: plugin(`${write(0, ALLOW.length)} unreachable`, ALLOW), code: 'PC_WASM_TRAP' },
  endless: plugin('(loop (br 0)) (unreachable)'),
  badPointers: {
    'an answer': { module: plugin(write(OUTSIDE - 8, ALLOW.length) + RETURN), code: 'PC_PLUGIN_OUTPUT' },
    'an answer of a negative length': { module: plugin(write(0, -1) + RETURN), code: 'PC_PLUGIN_OUTPUT' },
    'a buffer for the input': {
      module: plugin(
        `(if (result i32) (i32.lt_s (call $read (i32.const ${OUTSIDE - 1}) (i32.const 8)) (i32.const 0))
           (then unreachable) (else ${write(0, ALLOW.length)} ${RETURN}))`,
        ALLOW,
      ),
      code: 'PC_WASM_TRAP',
    },
    'a log line': {
      module: plugin(`(call $log (i32.const -8) (i32.const 64)) ${write(0, 3)} ${RETURN}`),
      code: 'PC_PLUGIN_OUTPUT',
    },
  },
  growing: plugin(
    `(drop (call $read (i32.const 4096) (call $length))) (drop (memory.grow (i32.const 16)))
     (drop (call $read (i32.const ${OUTSIDE + 8}) (call $length)))
     (memory.copy (i32.const ${OUTSIDE + 500_000}) (i32.const 0) (i32.const ${DENY.length}))
     ${write(OUTSIDE + 500_000, DENY.length)} ${RETURN}`,
    DENY,
  ),
  refused: {
    'no `validate`': refused('(memory (export "memory") 1)'),
    '`validate` that is no function': refused(
      '(memory (export "memory") 1) (global (export "validate") i32 (i32.const 0))',
    ),
    '`validate` without a result': refused('(memory (export "memory") 1) (func (export "validate"))'),
    '`validate` with a parameter': refused(
      '(memory (export "memory") 1) (func (export "validate") (param i32) (result i32) (local.get 0))',
    ),
    'a memory that is not exported': refused(
      '(memory 1) (func (export "validate") (result i32) (i32.const 0))',
    ),
    'an import that nobody offers':
      wat(`(module (import "env" "open_file" (func)) (memory (export "memory") 1)
      (func (export "validate") (result i32) (i32.const 0)))`),
    'an import of another type': wat(`(module (import "env" "read_input" (func (param i64)))
      (memory (export "memory") 1) (func (export "validate") (result i32) (i32.const 0)))`),
  },
  host: 'plugins have nothing to ask of the host',
});
