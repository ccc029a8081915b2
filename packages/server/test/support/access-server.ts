import type { DecisionRecord, GateName, PolicySpec } from '@portcullis/contract';
import { createChain } from '../../src/chain/chain.ts';
import { createAuthenticationGate } from '../../src/gates/kube-authn/authentication-gate.ts';
import { createAuthorizationGate } from '../../src/gates/kube-authz/authorization-gate.ts';
import type { GateRequest, GateResponse } from '../../src/gates/gate.ts';
import { makePolicy } from './make-policy.ts';
import { createScriptedEngine, type Script } from './scripted-engine.ts';
import { createTestHost } from './test-host.ts';

export interface ScriptedPolicy {
  readonly name: string;
  readonly script: Script;
  readonly spec?: Partial<PolicySpec>;
}

export interface AccessServer {
  readonly records: DecisionRecord[];
  readonly refused: string[];
  readonly logged: unknown[];
  /** Names of policies whose script ran, in order. */
  readonly asked: string[];
  send(body: unknown, request?: Partial<GateRequest>): Promise<GateResponse>;
}

export interface AccessServerOptions {
  readonly gate: GateName & ('authentication' | 'authorization');
  /** In the order in which they are asked; absent: no policy set at all. */
  readonly policies?: readonly ScriptedPolicy[];
  readonly audiences?: readonly string[];
}

/** A gate with a whole chain behind it, and policies that are functions. */
export function openAccessServer({ gate, policies, audiences = [] }: AccessServerOptions): AccessServer {
  const records: DecisionRecord[] = [];
  const refused: string[] = [];
  const logged: unknown[] = [];
  const asked: string[] = [];
  const scripts = (policies ?? []).map(({ name, script }): [string, Script] => [
    name,
    (review) => {
      asked.push(name);
      return script(review);
    },
  ]);
  const log = { enabled: () => true, log: (...entry: unknown[]) => void logged.push(entry) };
  const chain = createChain({
    engines: new Map([['plugin', createScriptedEngine(Object.fromEntries(scripts))]]),
    host: createTestHost(log),
    namespaceLabels: () => undefined,
    observer: { decided: (record) => void records.push(record), refused: () => undefined },
  });
  if (policies !== undefined) {
    chain.install({
      revision: 1,
      policies: policies.map(({ name, spec }, order) => ({
        policy: makePolicy(name, { gate, order, ...spec }),
        programs: [{ engine: 'plugin', module: name }],
        fingerprint: name,
      })),
      exceptions: [],
      modules: new Map(policies.map(({ name }) => [name, { name }])),
    });
  }
  let reviews = 0;
  const options = {
    decide: chain.decideAccess,
    log,
    createUid: () => `review-${(reviews += 1)}`,
    refused: (code: string) => void refused.push(code),
  };
  const answer =
    gate === 'authentication'
      ? createAuthenticationGate({ ...options, audiences })
      : createAuthorizationGate(options);
  return {
    records,
    refused,
    logged,
    asked,
    send: (body, request) =>
      answer({
        method: 'POST',
        path: `/${gate}`,
        query: 'timeout=30s',
        contentType: 'application/json',
        body:
          body instanceof Uint8Array
            ? body
            : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
        received: performance.now(),
        ...request,
      }),
  };
}
