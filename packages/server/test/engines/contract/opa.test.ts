import { createHost } from '../../../src/app/create-host.ts';
import { beforeDeadline } from '../../../src/capabilities/create-capabilities.ts';
import { gatekeeperEngine, opaEngine } from '../../../src/engines/opa/opa-engine.ts';
import { Fault } from '../../../src/kernel/fault.ts';
import { noLog } from '../../support/test-host.ts';
import { OUTSIDE, opaGuest } from '../opa/opa-guest.ts';
import { describeEngineContract, type EngineFixtures } from './describe-engine-contract.ts';

const BUILTINS = '{"hex.encode":1,"net.cidr_expand":2}';

function fixturesOf(
  engine: EngineFixtures['engine'],
  answers: Pick<EngineFixtures, 'allow' | 'deny' | 'garbage'>,
): EngineFixtures {
  const { allow, deny } = answers;
  const doing = (evaluate: string, data: Uint8Array | string = allow): Uint8Array =>
    opaGuest({ evaluate, data, builtins: BUILTINS });
  const lacking = (name: string): Uint8Array =>
    opaGuest({ evaluate: '(i32.const 0)', exports: { [name]: '' } });
  const as = (name: string, body: string): Uint8Array =>
    opaGuest({ evaluate: '(i32.const 0)', exports: { [name]: body } });
  return {
    engine,
    ...answers,
    answering: (output) => doing('(i32.const 0)', output),
    garbageCode: 'PC_OPA_RESULT',
    oversized: {
      module: doing(
        `(memory.fill (i32.const ${allow.length}) (i32.const 32) (i32.const ${4 * 1024 * 1024}))
         (i32.store8 (i32.const ${4 * 1024 * 1024 + allow.length}) (i32.const 0)) (i32.const 0)`,
      ),
      code: 'PC_OPA_RESULT',
    },
    trapping: { module: doing('unreachable'), code: 'PC_WASM_TRAP' },
    endless: doing('(loop (br 0)) (i32.const 0)'),
    badPointers: {
      'an answer': { module: doing(`(i32.const ${OUTSIDE})`), code: 'PC_OPA_RESULT' },
      'an answer without an end': {
        module: doing(
          `(memory.fill (i32.const ${OUTSIDE - 100}) (i32.const 32) (i32.const 100)) (i32.const ${OUTSIDE - 100})`,
        ),
        code: 'PC_OPA_RESULT',
      },
      'an answer below zero': { module: doing('(i32.const -1)'), code: 'PC_OPA_RESULT' },
      'the reason of an abort': {
        module: doing(`(call $abort (i32.const ${OUTSIDE})) (i32.const 0)`),
        code: 'PC_OPA_ABORT',
      },
      'an argument of a builtin function': {
        module: doing(
          `(drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const ${OUTSIDE + 5}))) (i32.const 0)`,
        ),
        code: 'PC_OPA_BUILTIN',
      },
      'a builtin function that is not declared': {
        module: doing('(drop (call $builtin0 (i32.const 99) (i32.const 0))) (i32.const 0)'),
        code: 'PC_OPA_BUILTIN',
      },
      'room for the input': {
        module: opaGuest({
          evaluate: '(i32.const 0)',
          data: allow,
          exports: {
            // The heap is set once when the module is tried, and then for the input.
            opa_heap_ptr_set: '(param i32) (global.set $heap (i32.add (local.get 0) (i32.const 1000000)))',
            opa_malloc: `(param i32) (result i32) (global.set $heap (i32.add (global.get $heap) (i32.const 1)))
              (select (i32.const ${OUTSIDE - 4}) (i32.const 65536) (i32.gt_u (global.get $heap) (i32.const 2000000)))`,
          },
        }),
        code: 'PC_OPA_RESULT',
      },
    },
    growing: doing(
      `(i32.store (i32.const 30000) (i32.const 0x00226122))
       (drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 30000))) (drop (memory.grow (i32.const 16)))
       (drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 30000)))
       (memory.copy (i32.const ${OUTSIDE + 500_000}) (i32.const 0) (i32.const ${deny.length}))
       (i32.const ${OUTSIDE + 500_000})`,
      deny,
    ),
    refused: {
      'no list of builtin functions': lacking('builtins'),
      'no parser': lacking('opa_json_parse'),
      'no evaluation at all': lacking('opa_eval'),
      'an evaluation of another type': as('opa_eval', '(result i32) (i32.const 0)'),
      'an allocation of another type': as('opa_malloc', '(param i64) (result i32) (i32.const 0)'),
      'an import that nobody offers': opaGuest({
        evaluate: '(i32.const 0)',
        imports: '(import "env" "opa_builtin5" (func (param i32 i32) (result i32)))',
      }),
      'what only the adapter may import': opaGuest({
        evaluate: '(i32.const 0)',
        imports: '(import "host" "read" (func (param i32 i32)))',
      }),
    },
    // It is asked for them, before they run.
    host: {
      spec: {
        capabilities: ['kubernetes/inventory'],
        contextAwareResources: [{ apiVersion: 'v1', kind: 'Namespace' }],
      },
      module: doing('(i32.const 0)'),
      code: 'PC_CAPABILITY_FAILED',
      lateCode: 'PC_CAPABILITY_TIMEOUT',
      failing: (host, when) => {
        const failed = when.then(() => new Fault('PC_CAPABILITY_FAILED', 'namespaces cannot be read'));
        const runtime = createHost(host.clock, noLog);
        return { ...host, capabilities: { call: (request) => beforeDeadline(failed, request, runtime) } };
      },
    },
  };
}

const response = (text: string): string => `[{"result":{"response":${text}}}]`;
describeEngineContract(
  'opa',
  fixturesOf(opaEngine, {
    allow: response('{"allowed":true}'),
    deny: response('{"allowed":false,"status":{"message":"no"}}'),
    garbage: [
      '[{"result":[]}]',
      '[{"result":true}]',
      '[{"result":{"allowed":true}}]',
      response('null'),
      response('{"allowed":1}'),
      response('{"uid":"uid-1"}'),
      response('{"allowed":true,"warnings":[1]}'),
      response('{"allowed":false,"status":"no"}'),
    ],
  }),
);

const violations = (text: string): string => `[{"result":${text}}]`;
describeEngineContract(
  'gatekeeper',
  fixturesOf(gatekeeperEngine, {
    allow: violations('[]'),
    deny: violations('[{"msg":"no"}]'),
    garbage: [
      violations('{}'),
      violations('null'),
      violations('["no"]'),
      violations('[{"msg":1}]'),
      violations('true'),
    ],
  }),
);
