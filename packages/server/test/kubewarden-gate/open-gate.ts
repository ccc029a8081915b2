import type { DecisionRecord, Policy } from '@portcullis/contract';
import { ENGINES } from '../../src/app/engine-table.ts';
import { createChain } from '../../src/chain/chain.ts';
import { createPolicyLoader, type PolicyLoader } from '../../src/chain/policy-loader.ts';
import type { HostCapabilities } from '../../src/engines/host-capabilities.ts';
import type { Gate, GateResponse } from '../../src/gates/gate.ts';
import { parseAdmissionReview } from '../../src/gates/kube-admission/parse-admission-review.ts';
import {
  createKubewardenGate,
  type KubewardenGateOptions,
} from '../../src/gates/kubewarden/kubewarden-gate.ts';
import { sha256 } from '../../src/kernel/digest.ts';
import { isFault } from '../../src/kernel/fault.ts';
import type { KubewardenReading } from '../../src/policy/kubewarden/kubewarden-policy.ts';
import { parsePoliciesYml } from '../../src/policy/parse-policies-yml.ts';
import type { ModuleResolver } from '../../src/sources/module-resolver.ts';
import type { DocumentReading } from '../../src/sources/source.ts';
import { createScriptedEngine, type Script } from '../support/scripted-engine.ts';
import { clock, createTestHost, noLog } from '../support/test-host.ts';

export interface OpenGate {
  readonly gate: Gate;
  readonly loader: PolicyLoader;
  readonly records: DecisionRecord[];
  /** Puts another text in the place of the file, and reloads. */
  write(text: string): Promise<void>;
  post(path: string, body: unknown, changes?: { readonly contentType?: string }): Promise<Answered>;
}

export interface Answered {
  readonly response: GateResponse;
  /** Parsed; the text itself where it is no JSON. */
  readonly body: unknown;
}

/** Modules of the engines of the server, by address, in the place of scripts. */
export interface RealModules {
  readonly modules: Readonly<Record<string, Uint8Array>>;
  readonly capabilities?: HostCapabilities;
}

/** The address of a module is the name of a script. */
function resolverOf(real: RealModules | undefined): ModuleResolver {
  async function resolve({ spec }: Parameters<ModuleResolver['fetch']>[0]) {
    const address = spec.module.oci ?? '';
    const bytes = real?.modules[address] ?? Buffer.from(address);
    return { bytes, digest: sha256(bytes), size: bytes.length };
  }
  return { resolve, fetch: resolve };
}

/** The gate with its loader and chain, without sockets: what a `policies.yml` says, run by scripts. */
export async function openGate(
  text: string,
  scripts: Readonly<Record<string, Script>>,
  options: Partial<KubewardenGateOptions> & {
    readonly reading?: Partial<KubewardenReading>;
    readonly real?: RealModules;
  } = {},
): Promise<OpenGate> {
  let current = text;
  const { reading, real, ...given } = options;
  const records: DecisionRecord[] = [];
  const engines =
    real === undefined ? new Map([['plugin' as const, createScriptedEngine(scripts)]]) : ENGINES;
  const { capabilities } = real ?? {};
  const host = { ...createTestHost(), ...(capabilities === undefined ? {} : { capabilities }) };
  const chain = createChain({
    engines,
    host,
    namespaceLabels: () => undefined,
    observer: { decided: (record) => void records.push(record), refused: () => undefined },
  });
  const loader = createPolicyLoader({
    sources: [
      {
        name: 'file',
        read: async () => readings(current, reading, real === undefined),
        watch: () => () => undefined,
      },
    ],
    modules: resolverOf(real),
    engines,
    host,
    publish: (set) => chain.install(set),
  });
  await loader.reload();
  const gate = createKubewardenGate({
    decide: chain.decideNamed,
    parseReview(body, deadline) {
      const parsed = parseAdmissionReview(body, deadline, 'optional');
      return isFault(parsed) ? parsed : parsed.review;
    },
    log: noLog,
    maxBodyBytes: 7 * 1024 * 1024,
    ...given,
  });
  return {
    gate,
    loader,
    records,
    async write(changed) {
      current = changed;
      await loader.reload();
    },
    async post(path, body, { contentType = 'application/json' } = {}) {
      const [bare = '', query = ''] = path.split('?');
      const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const request = { method: 'POST', path: bare, query, contentType, body: bytes, received: clock.now() };
      const response = await gate(request);
      return { response, body: readJson(response.body) };
    },
  };
}

function readings(
  text: string,
  reading: Partial<KubewardenReading> = {},
  isScripted = true,
): readonly DocumentReading[] {
  const origin = { source: 'file', location: 'policies.yml' };
  const how: KubewardenReading = { reach: 'name', timeoutMs: 2000, monitorWarnings: false, ...reading };
  return parsePoliciesYml(text, origin, how).map(({ result, ...rest }) => ({
    container: 'policies.yml',
    result: isFault(result) || !isScripted ? result : runByScript(result),
    ...rest,
  }));
}

/** Scripts are no WebAssembly by which their engine could be found out. */
function runByScript(policy: Policy): Policy {
  const { spec, group } = policy;
  const scripted: Policy = { ...policy, spec: { ...spec, engine: 'plugin' } };
  if (group === undefined) return scripted;
  const members = Object.entries(group.members).map(([name, member]) => [name, runByScript(member)]);
  return { ...scripted, group: { ...group, members: Object.fromEntries(members) as typeof group.members } };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An AdmissionReview of a pod. */
export function podReview(changes: object = {}, envelope: object = {}): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'web',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'ana' },
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } },
      ...changes,
    },
    ...envelope,
  };
}
