import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '@portcullis/contract';
import { loadBuiltins } from '../../packages/server/src/engines/opa/host-builtin.ts';
import { ENTRY, opaAdapter } from '../../packages/server/src/engines/opa/opa-adapter.ts';
import { createOpaCall } from '../../packages/server/src/engines/opa/opa-call.ts';
import { OPA_HOST } from '../../packages/server/src/engines/opa/opa-host.ts';
import { opaEngine } from '../../packages/server/src/engines/opa/opa-engine.ts';
import { useOpaInstances } from '../../packages/server/src/engines/opa/opa-instances.ts';
import type { EngineHost } from '../../packages/server/src/engines/engine.ts';
import { Fault, isFault } from '../../packages/server/src/kernel/fault.ts';
import { createSandbox } from '../../packages/server/src/wasm/sandbox.ts';
import { parse } from 'yaml';

const LIMITS: Limits = { timeoutMs: 60_000, memoryBytes: 64 * 1024 * 1024, fuel: 2_000_000_000 };

/** A query that OPA compiled, evaluated in our sandbox: text of its results. */
export async function evaluateQuery(
  wasm: Uint8Array,
  { data, input }: { readonly data: unknown; readonly input: string },
  host: EngineHost,
): Promise<string | Fault> {
  await loadBuiltins();
  const module = await opaEngine.compile(wasm);
  if (isFault(module)) return module;
  const { shared, release } = useOpaInstances(module, LIMITS, host, JSON.stringify(data ?? {}));
  const sandbox = createSandbox(module, {
    host: OPA_HOST,
    limits: LIMITS,
    runtime: host.runtime,
    stock: shared.stock,
    adapter: opaAdapter(),
  });
  try {
    const bytes = Buffer.from(input);
    const call = createOpaCall(host, {
      description: shared.description,
      data: [],
      input: [bytes],
      policy: 'query',
    });
    const deadline = host.clock.now() + LIMITS.timeoutMs;
    const run = await sandbox.run(ENTRY.evaluate, call, deadline, [bytes.length, 0, 1, 1]);
    if (isFault(run)) return call.fault ?? shared.startFault() ?? run;
    return Buffer.from(call.result ?? '', 'latin1').toString();
  } finally {
    sandbox.close();
    release();
  }
}

/** One case of OPA's own conformance set. */
export interface ConformanceCase {
  readonly note: string;
  readonly query: string;
  readonly modules?: readonly string[];
  readonly data?: unknown;
  readonly input?: unknown;
  readonly input_term?: string;
  readonly want_result?: readonly Readonly<Record<string, unknown>>[];
  readonly sort_bindings?: boolean;
  readonly strict_error?: boolean;
}

/** All cases below a folder, in the order of their files. */
export function readConformanceCases(folder: string): readonly ConformanceCase[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:ya?ml|json)$/.test(name),
  );
  return files.sort().flatMap((name) => {
    const document = parse(readFileSync(join(folder, name), 'utf8'), {
      intAsBigInt: false,
      maxAliasCount: -1,
    }) as {
      readonly cases?: readonly ConformanceCase[];
    };
    return document.cases ?? [];
  });
}
