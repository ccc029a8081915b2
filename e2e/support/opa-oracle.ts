import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What OPA is asked; see e2e/opa/oracle. */
export interface OracleQuestion {
  readonly modules: readonly string[];
  readonly regoVersion: 0 | 1;
  readonly query: string;
  readonly inputTerm?: string;
  readonly input?: unknown;
  readonly hasInput: boolean;
  readonly data?: unknown;
}

export interface OracleAnswer {
  /** Base64 of the query compiled; absent when OPA cannot. */
  readonly wasm?: string;
  /** What OPA itself evaluates to; null when there was an error. */
  readonly bindings: readonly Readonly<Record<string, unknown>>[] | null;
  readonly error?: string;
  /** The input as text of a Rego value. */
  readonly input?: string;
}

export interface OpaOracle {
  ask(question: OracleQuestion): Promise<OracleAnswer>;
  close(): void;
}

/** OPA in a process of its own, asked one question after another. */
export function startOpaOracle(binary: string): OpaOracle {
  const child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { done, value } = await lines.next();
      if (done === true) throw new Error('the oracle ended');
      return JSON.parse(value) as OracleAnswer;
    },
    close: () => child.stdin.end(),
  };
}
