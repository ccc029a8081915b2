import { Fault, isFault } from '../../kernel/fault.ts';
import { EXTERN_KINDS } from '../binary/sections.ts';
import { decodeBody } from '../decode/decode-body.ts';
import { decodeModule } from '../decode/decode-module.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { createInstructions } from '../decode/instructions.ts';
import { RESERVED, RESERVED_MODULE, RESERVED_PREFIX, type InstrumentedModule } from '../instrumented.ts';
import { Additions } from './additions.ts';
import { createChargePlan, planCharges } from './plan-charges.ts';
import { rewriteBody, type BodyContext } from './rewrite-body.ts';
import { addGrowTable, addRuntime } from './runtime-functions.ts';
import { addShadows, freshReason } from './shadows.ts';
import { surveyModule } from './survey.ts';
import { writeModule, type RewrittenCode } from './write-module.ts';

/**
 * Rewrites a module so that it pays for what it does, sees a virtual memory size, and can be reset; see
 * `../instrumented.ts` for what the result offers.
 *
 * Faults: those of `decodeModule`; PC_MODULE_MALFORMED for a module that is not valid; PC_MODULE_IMPORT for imports that are
 * not functions or that use our name; PC_MODULE_EXPORT for exports that use our prefix.
 */
export function instrumentModule(bytes: Uint8Array): InstrumentedModule | Fault {
  const module = decodeModule(bytes);
  if (isFault(module)) return module;
  const refusal = refuse(module);
  if (refusal !== undefined) return refusal;
  return rewrite(module);
}

/** Only what is valid is rewritten: so nothing invalid can become valid and mean something else. */
function refuse(module: DecodedModule): Fault | undefined {
  for (const { module: from, name, kind } of module.imports) {
    if (kind !== 0) {
      return new Fault(
        'PC_MODULE_IMPORT',
        `the module imports the ${EXTERN_KINDS[kind]} \`${from}.${name}\`; only functions can be imported`,
        { data: { module: from, name, kind: EXTERN_KINDS[kind] } },
      );
    }
    if (from === RESERVED_MODULE) {
      return new Fault('PC_MODULE_IMPORT', `the module imports \`${from}.${name}\`, a reserved name`, {
        data: { module: from, name },
      });
    }
  }
  const taken = module.exports.find(({ name }) => name.startsWith(RESERVED_PREFIX));
  if (taken !== undefined) {
    return new Fault('PC_MODULE_EXPORT', `the module exports \`${taken.name}\`, a reserved name`, {
      data: { name: taken.name },
    });
  }
  if (!WebAssembly.validate(module.bytes as Uint8Array<ArrayBuffer>)) {
    return new Fault('PC_MODULE_MALFORMED', 'the module is not valid: its code breaks the typing rules');
  }
  return undefined;
}

function rewrite(module: DecodedModule): InstrumentedModule {
  const survey = surveyModule(module);
  const additions = new Additions(module);
  const parts = addRuntime(module, additions);
  const growTable = new Map(
    [...survey.grownTables].map((index) => {
      const type = module.tables[index]?.type ?? 0x70;
      return [index, addGrowTable(additions, parts, { index, type })] as const;
    }),
  );
  if (module.start !== undefined) additions.addExport(RESERVED.start, 0, additions.moved(module.start));
  addShadows(module, survey, additions, parts);
  const code = rewriteCode({ module, additions, parts, growTable });
  const reason = freshReason(survey);
  return {
    bytes: writeModule(module, additions, code),
    info: module.info,
    layout: {
      hasMemory: module.memory !== undefined,
      initialPages: module.memory?.minimum ?? 0,
      hasStart: module.start !== undefined,
      resettable: reason === undefined,
      ...(reason === undefined ? {} : { freshBecause: reason }),
    },
  };
}

function rewriteCode(context: BodyContext): RewrittenCode {
  const { module } = context;
  const list = createInstructions();
  const plan = createChargePlan();
  const bodies = module.bodies.map((range, index) => {
    decodeBody(module.bytes, range, list, new Set());
    planCharges(list, plan);
    const type = module.types[module.functionTypes[module.importedFunctions + index] ?? 0];
    return rewriteBody(list, plan, type?.params.length ?? 0, context);
  });
  return { bodies };
}
