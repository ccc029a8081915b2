import type { JsonValue, Policy, PolicyException, PolicyOrigin, PolicySpec } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { compileGroupExpression } from '../group/group-expression.ts';
import type { ExceptionDocument, GroupDocument, PolicyDocument } from './policy-document-schema.ts';

type Program = Pick<PolicyDocument['spec'], 'engine' | 'module' | 'settings' | 'limits' | 'capabilities'>;

/** What documents of the same content have, with a namespace and without. */
type Content<D extends PolicyDocument | GroupDocument> = Pick<D, 'metadata' | 'spec'>;

export function toPolicy({ metadata, spec }: Content<PolicyDocument>, origin: PolicyOrigin): Policy {
  return { metadata, spec: { ...spec, ...toProgram(spec) }, origin };
}

/** PC_POLICY_CONDITION when the expression is none, or not one of its members. */
export function toGroup({ metadata, spec }: Content<GroupDocument>, origin: PolicyOrigin): Policy | Fault {
  const { members: programs, expression, message, ...effect } = spec;
  const compiled = compileGroupExpression(expression, Object.keys(programs));
  if (isFault(compiled)) {
    return new Fault(compiled.code, `${origin.location}: ${compiled.message}`, {
      data: { path: 'spec.expression' },
    });
  }
  const common: Omit<PolicySpec, keyof Program> = { ...effect, phase: 'validate' };
  const members = Object.entries(programs).map(([name, program]): [string, Policy] => [
    name,
    {
      metadata: { ...metadata, name: `${metadata.name}/${name}` },
      spec: { ...common, ...program, ...toProgram(program) },
      origin,
    },
  ]);
  const limits = members.map(([, member]) => member.spec.limits);
  return {
    metadata,
    spec: {
      ...common,
      message,
      module: {},
      settings: null,
      capabilities: [],
      // Members are asked one after another.
      limits: {
        timeoutMs: limits.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0),
        memoryBytes: limits.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        fuel: limits.reduce((sum, { fuel }) => sum + fuel, 0),
      },
    },
    origin,
    group: { expression, members: Object.fromEntries(members) },
  };
}

export function toException({ metadata, spec }: ExceptionDocument, origin: PolicyOrigin): PolicyException {
  return { metadata, spec, origin };
}

/** Absent keys stay absent. */
function toProgram({
  settings,
  limits: { timeout, memory, fuel, output, concurrency },
}: Program): Pick<PolicySpec, 'settings' | 'limits'> {
  return {
    // It was read as a JsonValue, and the schema hands it through.
    settings: settings as JsonValue,
    limits: {
      timeoutMs: timeout,
      memoryBytes: memory,
      fuel,
      ...(output === undefined ? {} : { outputBytes: output }),
      ...(concurrency === undefined ? {} : { concurrency }),
    },
  };
}
