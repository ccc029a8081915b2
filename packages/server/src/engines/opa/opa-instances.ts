import type { Fault } from '../../kernel/fault.ts';
import { GuestStock } from '../../wasm/guest-stock.ts';
import { createInstanceSharing } from '../shared-instances.ts';
import { ENTRY, opaAdapter } from './opa-adapter.ts';
import { createOpaCall, type Document, type OpaCall, type OpaDescription } from './opa-call.ts';
import { OPA_HOST } from './opa-host.ts';

/** JSON text, or a document with a key that stands for it. */
export type OpaData = string | { readonly key: string; readonly document: Document };

/**
 * Instances by module and data: the data is read into the module once, before the state is kept that every evaluation starts
 * from. No evaluation is run ahead: a module drops all that an earlier one set up when it sets its heap back.
 */
export const useOpaInstances = createInstanceSharing((module, limits, host, of: OpaData = '{}') => {
  const description: OpaDescription = {
    builtins: new Map(),
    wanted: new Map(),
    entrypoints: new Map(),
    isReadDirectly: undefined,
  };
  const data = typeof of === 'string' ? [Buffer.from(of)] : of.document;
  let start: OpaCall | undefined;
  return {
    description,
    /** Why the last instance did not start, where that was not the sandbox. */
    startFault: (): Fault | undefined => start?.fault,
    stock: new GuestStock<OpaCall>(module, {
      host: OPA_HOST,
      limits,
      runtime: host.runtime,
      adapter: opaAdapter(),
      initialise: {
        exports: [ENTRY.describe, ENTRY.probe, ENTRY.load],
        context() {
          const question = { description, data, input: [] };
          start = createOpaCall(host, { ...question, policy: 'start' });
          return start;
        },
      },
    }),
  };
});
