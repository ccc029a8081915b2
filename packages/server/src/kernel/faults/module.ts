import type { FaultEntry } from './fault-entry.ts';

/** Fetching and refusing modules. */
export const MODULE_FAULTS = {
  PC_MODULE_MISSING: {
    meaning: 'the module of a policy cannot be read',
    advice: 'check the path or reference and that the server may read it',
  },
  PC_MODULE_DIGEST: {
    meaning: 'the bytes of a module do not have the SHA-256 digest that its policy demands',
    advice: 'check where the module came from; if the new bytes are wanted, update `sha256`',
  },
  PC_MODULE_SIZE: {
    meaning: 'a module is larger than the configured cap',
    advice: 'build it smaller or raise `sources.maxModuleBytes`',
  },
  PC_MODULE_SOURCE: {
    meaning: 'a module may not be loaded from this place',
    advice: 'use https with a digest, or allow the place in the configuration',
  },
  PC_MODULE_FETCH: {
    meaning: 'a module could not be downloaded',
    advice: "check that the address answers from the server's network; the last good policy stays in force",
  },
  PC_MODULE_MALFORMED: {
    meaning: 'the bytes are not a valid WebAssembly module',
    advice: 'rebuild the module; `portcullis inspect` shows where it breaks',
  },
  PC_MODULE_FEATURE: {
    meaning: 'the module uses a WebAssembly feature that a policy may not use',
    advice: 'rebuild without the feature that the message names',
  },
  PC_MODULE_IMPORT: {
    meaning: 'the module imports something that its engine does not offer',
    advice: 'rebuild without the import, or choose the engine that offers it',
  },
  PC_MODULE_EXPORT: {
    meaning: 'the module lacks an export that its engine needs, or it has another type',
    advice: 'export the function or memory that the message names',
  },
  PC_MODULE_MEMORY: {
    meaning: 'the module starts with more memory or larger tables than its policy allows',
    advice: 'raise `limits.memory` or build the module with a smaller initial memory',
  },
  PC_MODULE_ENGINE: {
    meaning: 'no engine knows this module',
    advice: 'name the engine in `spec.engine`, or see `portcullis inspect`',
  },
} as const satisfies Record<string, FaultEntry>;
