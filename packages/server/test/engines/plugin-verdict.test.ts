import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Operation, Phase, Verdict } from '@portcullis/contract';
import { pluginFault, pluginVerdict } from '../../src/engines/plugin/plugin-verdict.ts';
import { Fault } from '../../src/kernel/fault.ts';

interface Asked {
  readonly code?: number;
  readonly phase?: Phase;
  readonly operation?: Operation;
}

function verdictOf(
  output: unknown,
  { code = 0, phase = 'validate', operation = 'CREATE' }: Asked = {},
): Verdict {
  const bytes =
    output === undefined
      ? undefined
      : Buffer.from(typeof output === 'string' ? output : JSON.stringify(output));
  return pluginVerdict({ code, output: bytes }, phase, operation);
}

const none = { warnings: [], auditAnnotations: {} };

test('no output: the return code decides', () => {
  assert.deepEqual(verdictOf(undefined), { outcome: 'allow', ...none });
  assert.deepEqual(verdictOf(''), { outcome: 'allow', ...none });
  const denied = {
    outcome: 'deny',
    message: 'Plugin returned error code: 2',
    reason: 'ValidationFailed',
    causes: [],
    ...none,
  };
  assert.deepEqual(verdictOf(undefined, { code: 2 }), denied);
});

test('allowed next to an error code is a contradiction, hence a denial that keeps the remarks', () => {
  const verdict = verdictOf({ allowed: true, warnings: ['w'] }, { code: 1 });
  assert.equal(verdict.outcome, 'deny');
  assert.equal(verdict.outcome === 'deny' && verdict.message, 'Plugin returned error code: 1');
  assert.deepEqual(verdict.outcome === 'deny' && verdict.warnings, ['w']);
});

test('a denial stays one whatever the return code', () => {
  for (const code of [0, 1, -1]) assert.equal(verdictOf({ allowed: false }, { code }).outcome, 'deny');
});

test('a denial always has a text: its message, else its errors, else a fixed one', () => {
  const text = (output: unknown): unknown => {
    const verdict = verdictOf(output);
    return verdict.outcome === 'deny' && verdict.message;
  };
  assert.equal(text({ allowed: false, message: 'no' }), 'no');
  assert.equal(
    text({
      allowed: false,
      errors: [
        { field: 'a', message: 'one' },
        { field: 'b', message: 'two' },
      ],
    }),
    'one; two',
  );
  assert.equal(text({ allowed: false }), 'Validation failed');
  assert.equal(text({ allowed: false, message: null }), 'Validation failed');
  assert.equal(text({ allowed: false, message: '' }), 'Validation failed');
});

test('everything that a plugin says is kept', () => {
  const output = {
    allowed: false,
    message: 'registry not approved',
    reason: 'PolicyViolation',
    errors: [
      {
        field: 'spec.version',
        message: 'not approved',
        errorType: 'InvalidRegistry',
        invalidValue: 'quay.io/x',
      },
      { field: 'spec.old', message: 'older key', type: 'Anything' },
    ],
    warnings: ['memory is low'],
    auditAnnotations: { checked: 'true' },
    unknown: 1,
  };
  assert.deepEqual(verdictOf(output), {
    outcome: 'deny',
    message: 'registry not approved',
    reason: 'PolicyViolation',
    causes: [
      { field: 'spec.version', message: 'not approved', reason: 'InvalidRegistry', value: 'quay.io/x' },
      { field: 'spec.old', message: 'older key', reason: 'Anything' },
    ],
    warnings: ['memory is low'],
    auditAnnotations: { checked: 'true' },
  });
});

test('null is read as absent', () => {
  const output = {
    allowed: true,
    message: null,
    reason: null,
    errors: null,
    warnings: null,
    auditAnnotations: null,
  };
  assert.deepEqual(verdictOf({ ...output, patch: null, mutatedObject: null }), { outcome: 'allow', ...none });
});

for (const [what, output] of Object.entries({
  'not JSON': 'allowed',
  truncated: '{"allowed":true',
  'an array': '[]',
  'a string': '"allowed"',
  'no allowed': '{}',
  'allowed as text': '{"allowed":"true"}',
  'allowed as number': '{"allowed":1}',
  'allowed null': '{"allowed":null}',
  'allowed twice': '{"allowed":false,"allowed":true}',
  'warnings as text': '{"allowed":true,"warnings":"x"}',
  'warnings with a number': '{"allowed":true,"warnings":[1]}',
  'errors as object': '{"allowed":true,"errors":{}}',
  'an error without field': '{"allowed":false,"errors":[{"message":"x"}]}',
  'annotations with a number': '{"allowed":true,"auditAnnotations":{"a":1}}',
  'annotations as a number of many digits': '{"allowed":true,"auditAnnotations":12345678901234567890}',
  'message as number': '{"allowed":true,"message":1}',
  'two documents': '{"allowed":true}{"allowed":true}',
})) {
  test(`${what} is a fault`, () => {
    const verdict = verdictOf(output);
    assert.equal(verdict.outcome, 'fault');
    assert.match(verdict.outcome === 'fault' ? verdict.message : '', /^Failed to parse plugin output: /);
  });
}

test('invalid UTF-8 is a fault', () => {
  const output = Buffer.concat([
    Buffer.from('{"allowed":true,"message":"'),
    Buffer.from([0xff]),
    Buffer.from('"}'),
  ]);
  assert.equal(pluginVerdict({ code: 0, output }, 'validate', 'CREATE').outcome, 'fault');
});

test('garbage is never an allow', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.string({ minLength: 1 }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: -3, max: 3 }), (output, code) => {
      const verdict = pluginVerdict({ code, output }, 'validate', 'CREATE');
      if (verdict.outcome === 'allow') {
        assert.equal(code, 0);
        assert.equal((JSON.parse(Buffer.from(output).toString()) as { allowed?: unknown }).allowed, true);
      }
    }),
    { seed: 20261121, numRuns: 2000 },
  );
});

const patch = [{ op: 'add', path: '/metadata/labels', value: {} }];

test('a mutation is read in the mutating phase only', () => {
  const verdict = verdictOf({ allowed: true, patch }, { phase: 'mutate' });
  assert.deepEqual(verdict.outcome === 'allow' && verdict.mutation, { patch });
  const whole = verdictOf({ allowed: true, mutatedObject: { a: 1 } }, { phase: 'mutate' });
  assert.deepEqual(whole.outcome === 'allow' && whole.mutation, { object: { a: 1 } });
  assert.equal(verdictOf({ allowed: true, patch }).outcome, 'deny', 'never silently dropped');
});

test('both mutations, one on a DELETE, and a bad patch are faults', () => {
  const phase = 'mutate';
  assert.equal(verdictOf({ allowed: true, patch, mutatedObject: {} }, { phase }).outcome, 'fault');
  assert.equal(verdictOf({ allowed: true, patch }, { phase, operation: 'DELETE' }).outcome, 'fault');
  assert.equal(verdictOf({ allowed: true, patch: [{ op: 'set', path: '/a' }] }, { phase }).outcome, 'fault');
  assert.equal(verdictOf({ allowed: true, patch: {} }, { phase }).outcome, 'fault');
});

test('a denial does not read the mutation', () => {
  assert.equal(verdictOf({ allowed: false, patch: 'nonsense' }, { phase: 'mutate' }).outcome, 'deny');
});

test('what stopped a plugin is told in the words of the reference', () => {
  const text = (fault: Fault): unknown => {
    const verdict = pluginFault(fault);
    return verdict.outcome === 'fault' && verdict.message;
  };
  assert.equal(text(new Fault('PC_WASM_FUEL', 'x')), 'Plugin exceeded instruction limit');
  assert.equal(text(new Fault('PC_WASM_TIMEOUT', 'x')), 'Plugin execution timeout');
  assert.equal(text(new Fault('PC_WASM_START', 'why')), 'Failed to instantiate module: why');
  assert.equal(text(new Fault('PC_WASM_TRAP', 'unreachable')), 'Plugin execution failed: unreachable');
});
