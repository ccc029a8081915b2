import type { ModuleReference, Policy } from '@portcullis/contract';
import type { Fault } from '../kernel/fault.ts';
import type { PolicyDocument } from '../policy/parse-policies.ts';

/** Where policy documents come from: a file or directory, the management API, ConfigMaps, Secrets and custom resources. */
export interface DocumentSource {
  readonly name: string;
  /**
   * Everything that is there now. A document that has not changed since the last reading comes as the same `result` object:
   * that is how the loader knows, and what makes one change among thousands cheap.
   */
  read(): Promise<readonly DocumentReading[]>;
  /** Calls back after anything may have changed, also since the last reading before it; returns the way to stop. */
  watch(changed: () => void): () => void;
}

/** One document: the policy, or why it is none. */
export interface DocumentReading {
  /**
   * What holds the document: a path, a resource. When a document breaks, its last good policy stays in force: the one of the
   * same name in the same container, or, when not even the name can be read, every policy of the container that is missing.
   */
  readonly container: string;
  readonly result: PolicyDocument | Fault;
  /** The name when it could still be read out of a broken document. */
  readonly name?: string;
  /** What a broken document would be. */
  readonly kind?: 'exception';
  readonly warnings?: readonly string[];
}

/** Where the bytes of modules come from; one per key of {@link ModuleReference}. */
export interface ModuleSource {
  readonly place: Exclude<keyof ModuleReference, 'sha256'>;
  /**
   * What the bytes are known by, at the price of a stat or less: a resource version, a digest that the policy demands. As long
   * as it is the same text, the bytes are not fetched, hashed and compiled again; it must change before or with them. Undefined
   * when only fetching tells, and for a source without this method. Never rejects.
   */
  version?(policy: Policy): Promise<string | undefined>;
  /** The raw bytes; the digest is checked by the caller. Never rejects. */
  fetch(policy: Policy): Promise<Uint8Array | Fault>;
}
