import { kubewardenEngine } from '../../../src/engines/kubewarden/kubewarden-engine.ts';
import { Fault } from '../../../src/kernel/fault.ts';
import { wat } from '../../wasm-instrument/support/wat.ts';
import { callHost, OUTSIDE, print, program, respond, wapc } from '../kubewarden/support/guest-wat.ts';
import { describeEngineContract, type EngineFixtures, type Hostile } from './describe-engine-contract.ts';

const ALLOW = '{"accepted":true}';
const DENY = '{"accepted":false,"message":"no"}';
const RETURN = '(i32.const 1)';
const ASK = ['kubewarden', 'net', 'v1/dns_lookup_host', '"example.com"'] as const;
const ASK_AT = 1000;
const MAX_OUTPUT = 4 * 1024 * 1024;

const trap = (module: Uint8Array): Hostile => ({ module, code: 'PC_WASM_TRAP' });
/** An allow, unless the guest is stopped. */
const allowing = (body: string): Uint8Array =>
  wapc(`${body} ${respond(0, ALLOW.length)} ${RETURN}`, { data: ALLOW });
const withTexts = (answer: string): Buffer =>
  Buffer.concat([Buffer.from(answer), Buffer.alloc(ASK_AT - answer.length), Buffer.from(ASK.join(''))]);

const COMMON = {
  engine: kubewardenEngine,
  allow: ALLOW,
  deny: DENY,
  garbage: [
    ALLOW + ALLOW,
    '{"accepted":"true"}',
    '{"accepted":true,"message":7}',
    '{"accepted":true,"code":"200"}',
    '{"accepted":true,"code":70000}',
    '{"accepted":true,"code":-1}',
    '{"accepted":true,"code":1.5}',
    '{"accepted":true,"warnings":"x"}',
    '{"accepted":true,"warnings":[1]}',
    '{"accepted":true,"audit_annotations":{"a":1}}',
    '{"accepted":true,"accepted":true}',
  ],
  garbageCode: 'PC_KUBEWARDEN_OUTPUT',
} as const satisfies Partial<EngineFixtures>;

const hostOf = (module: Uint8Array, code: Hostile['code']): EngineFixtures['host'] => ({
  spec: { capabilities: ['net/*'] },
  module,
  code,
  failing: (host, when) => ({
    ...host,
    capabilities: { call: () => when.then(() => new Fault('PC_CAPABILITY_FAILED', 'no name server')) },
  }),
});

const bare = (exports: string): Uint8Array =>
  wat(`(module (import "wapc" "__guest_response" (func (param i32 i32))) ${exports})`);
const CALL = '(func (export "__guest_call") (param i32 i32) (result i32) (i32.const 0))';
const MEMORY = '(memory (export "memory") 1)';

describeEngineContract('kubewarden, waPC', {
  ...COMMON,
  answering: (output) => wapc(`${respond(0, output.length)} ${RETURN}`, { data: output }),
  oversized: trap(
    wapc(`${respond(0, ALLOW.length)} ${respond(0, MAX_OUTPUT + 1)} ${RETURN}`, { data: ALLOW }),
  ),
  trapping: trap(allowing('(unreachable)')),
  endless: wapc('(loop (br 0)) (unreachable)'),
  badPointers: {
    'an answer': trap(allowing(respond(OUTSIDE - 8, 64))),
    'an answer of a negative length': trap(allowing(respond(0, -1))),
    'an error': trap(allowing(`(call $error (i32.const -4) (i32.const 8))`)),
    'a place for the operation': trap(allowing(`(call $request (i32.const ${OUTSIDE - 1}) (i32.const 0))`)),
    'a place for the payload': trap(allowing(`(call $request (i32.const 0) (i32.const ${OUTSIDE - 1}))`)),
    'a log line': trap(allowing(`(call $log (i32.const ${OUTSIDE}) (i32.const 1))`)),
    'a payload for the host': trap(
      allowing(
        `(drop (call $host (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const -1) (i32.const 9)))`,
      ),
    ),
    'a name for the host': trap(
      allowing(
        `(drop (call $host (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 9)))`,
      ),
    ),
    'a place for an answer of the host': trap(
      wapc(
        `(drop ${callHost(['other', 'net', 'x', '""'], ASK_AT)}) (call $host_error (i32.const ${OUTSIDE - 4}))
         ${respond(0, ALLOW.length)} ${RETURN}`,
        { data: withTexts(ALLOW) },
      ),
    ),
  },
  growing: wapc(
    `(call $request (i32.const 50000) (i32.const 100000)) (drop (memory.grow (i32.const 16)))
     (call $request (i32.const 50000) (i32.const ${OUTSIDE + 8}))
     (drop ${callHost(ASK, ASK_AT)}) (drop (memory.grow (i32.const 16))) (call $host_error (i32.const ${OUTSIDE + 200_000}))
     (memory.copy (i32.const ${OUTSIDE + 500_000}) (i32.const 0) (i32.const ${DENY.length}))
     ${respond(OUTSIDE + 500_000, DENY.length)} ${RETURN}`,
    { data: withTexts(DENY) },
  ),
  refused: {
    'no `__guest_call`': bare(MEMORY),
    '`__guest_call` that is no function': bare(
      `${MEMORY} (global (export "__guest_call") i32 (i32.const 0))`,
    ),
    '`__guest_call` without a result': bare(`${MEMORY} (func (export "__guest_call") (param i32 i32))`),
    '`__guest_call` with one parameter': bare(
      `${MEMORY} (func (export "__guest_call") (param i32) (result i32) (i32.const 0))`,
    ),
    'a memory that is not exported': bare(`(memory 1) ${CALL}`),
    '`wapc_init` with a parameter': bare(`${MEMORY} ${CALL} (func (export "wapc_init") (param i32))`),
    'an import that nobody offers': wat(`(module (import "wapc" "__open" (func)) ${MEMORY} ${CALL})`),
    'an import of another type': wat(
      `(module (import "wapc" "__guest_error" (func (param i64))) ${MEMORY} ${CALL})`,
    ),
    'another execution mode': wapc(RETURN, { metadata: '{"executionMode":"opa","mutating":false}' }),
    'a type of policies that there is not': wapc(RETURN, { metadata: '{"policyType":"cloud"}' }),
    'metadata that is no JSON': wapc(RETURN, { metadata: '{' }),
  },
  host: hostOf(
    wapc(
      `(if ${callHost(ASK, ASK_AT)} (then ${respond(0, ALLOW.length)} (return ${RETURN})))
       (call $host_error (i32.const 60000)) (call $error (i32.const 60000) (call $error_length)) (i32.const 0)`,
      { data: withTexts(ALLOW) },
    ),
    'PC_KUBEWARDEN_GUEST',
  ),
});

const trusting = (call: string): Uint8Array =>
  program(`(if ${call} (then (return))) ${print(0, ALLOW.length)}`, { data: ALLOW });

describeEngineContract('kubewarden, programs', {
  ...COMMON,
  answering: (output) => program(print(0, output.length), { data: output }),
  oversized: {
    module: program(print(0, ALLOW.length) + print(0, MAX_OUTPUT), { data: ALLOW }),
    code: 'PC_KUBEWARDEN_OUTPUT',
  },
  trapping: trap(program(`${print(0, ALLOW.length)} unreachable`, { data: ALLOW })),
  endless: program('(loop (br 0))'),
  badPointers: {
    'an answer': { module: program(print(OUTSIDE - 8, 64)), code: 'PC_KUBEWARDEN_OUTPUT' },
    'a place for arguments': {
      module: trusting(`(call $args (i32.const ${OUTSIDE - 1}) (i32.const 0))`),
      code: 'PC_KUBEWARDEN_OUTPUT',
    },
    'a payload for the host': trap(
      trusting(
        `(call $host (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const -1) (i32.const 9))`,
      ),
    ),
  },
  growing: program(
    `(drop ${callHost(ASK, ASK_AT)}) (drop (memory.grow (i32.const 16)))
     (memory.copy (i32.const ${OUTSIDE + 500_000}) (i32.const 0) (i32.const ${DENY.length}))
     ${print(OUTSIDE + 500_000, DENY.length)}`,
    { data: withTexts(DENY) },
  ),
  refused: {
    'an entry with a result': bareProgram('(result i32) (i32.const 0)'),
    'an import of another type': wat(`(module (import "host" "call" (func (param i32) (result i32)))
      ${MEMORY} (func (export "_start")))`),
  },
  host: hostOf(
    program(`(if ${callHost(ASK, ASK_AT)} (then (call $exit (i32.const 1)))) ${print(0, ALLOW.length)}`, {
      data: withTexts(ALLOW),
    }),
    'PC_WASM_EXIT',
  ),
});

function bareProgram(type: string): Uint8Array {
  return wat(`(module (import "host" "call" (func (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    ${MEMORY} (func (export "_start") ${type}))`);
}
