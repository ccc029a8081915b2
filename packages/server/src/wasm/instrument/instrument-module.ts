import { Fault, isFault } from '../../kernel/fault.ts';
import { EXTERN_KINDS } from '../binary/sections.ts';
import { VALUE_TYPE } from '../binary/value-types.ts';
import { decodeBody } from '../decode/decode-body.ts';
import { decodeAndVisit } from '../decode/decode-module.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { createInstructions } from '../decode/instructions.ts';
import { RESERVED_MODULE, RESERVED_PREFIX, type InstrumentedModule } from '../instrumented.ts';
import { Additions } from './additions.ts';
import { entryFuel } from './cost-model.ts';
import { ChargePlanner } from './plan-charges.ts';
import { findPrepaid } from './prepaid-functions.ts';
import { rewriteBody, type BodyContext, type RewrittenBody } from './rewrite-body.ts';
import { addGrowTable, addRuntime, type RuntimeParts } from './runtime-functions.ts';
import { addShadows, freshReason } from './shadows.ts';
import { StandIns } from './stand-ins.ts';
import { Surveyor, type Survey } from './survey.ts';
import { writeModule } from './write-module.ts';

export interface InstrumentOptions {
  /** `module.name` of a memory that may be imported; it becomes one of the module's own. */
  readonly importedMemory?: string;
}

/**
 * Rewrites a module so that it pays for what it does, sees a virtual memory size, and can be reset; see
 * `../instrumented.ts` for what the result offers.
 *
 * Faults: those of `decodeModule`; PC_MODULE_MALFORMED for a module that is not valid; PC_MODULE_IMPORT for imports that are
 * not functions (nor the memory of the options) or that use our name; PC_MODULE_EXPORT for exports that use our prefix.
 */
export function instrumentModule(
  bytes: Uint8Array,
  options: InstrumentOptions = {},
): InstrumentedModule | Fault {
  const surveyor = new Surveyor();
  const module = decodeAndVisit(bytes, (list, index) => surveyor.visit(list, index));
  if (isFault(module)) return module;
  return refuse(module, options) ?? rewrite(module, surveyor.finish(module));
}

/** Only what is valid is rewritten: so nothing invalid can become valid and mean something else. */
function refuse(module: DecodedModule, options: InstrumentOptions): Fault | undefined {
  for (const { module: from, name, kind } of module.imports) {
    const isMemory = EXTERN_KINDS[kind] === 'memory' && options.importedMemory === `${from}.${name}`;
    if (kind !== 0 && !isMemory) {
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

/**
 * The passes in their order. What appends functions comes before the code is written; the order in which they append does
 * not matter to the result's meaning.
 */
function rewrite(module: DecodedModule, survey: Survey): InstrumentedModule {
  const prepaid = findPrepaid(module, survey);
  const additions = new Additions(module);
  const parts = addRuntime(module, additions);
  const growTable = addTableGrowth(module, survey, additions, parts);
  const standIns = new StandIns(module, additions, parts, prepaid);
  standIns.addAll(survey.referenced);
  addShadows(module, survey, additions, parts);
  const bodies = rewriteBodies({
    module,
    additions,
    parts,
    prepaid,
    standIns,
    growTable,
    catches: survey.catches,
  });
  const reason = freshReason(module, survey);
  return {
    bytes: writeModule(module, additions, { bodies, standIns, mentioned: survey.mentioned }),
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

function addTableGrowth(
  module: DecodedModule,
  survey: Survey,
  additions: Additions,
  parts: RuntimeParts,
): ReadonlyMap<number, number> {
  const functions = new Map<number, number>();
  for (const index of survey.grownTables) {
    const type = module.tables[index]?.type ?? VALUE_TYPE.funcref;
    functions.set(index, addGrowTable(additions, parts, { index, type }));
  }
  return functions;
}

function rewriteBodies(context: BodyContext): RewrittenBody[] {
  const { module, prepaid } = context;
  const list = createInstructions();
  const features = new Set<string>();
  const planner = new ChargePlanner(module, prepaid, entryFuel(context.catches));
  return module.bodies.map((range, at) => {
    const index = module.importedFunctions + at;
    decodeBody(module.bytes, range, list, features);
    const plan = (prepaid[index] as number) >= 0 ? planner.planNothing(list) : planner.plan(list, index);
    return rewriteBody(list, plan, index, context);
  });
}
