import { OP } from '../binary/opcodes.ts';
import { decodeBody } from '../decode/decode-body.ts';
import type { DecodedModule } from '../decode/decoded-module.ts';
import { createInstructions } from '../decode/instructions.ts';

/** What the code of a module does, as far as the passes need to know it before they write. */
export interface Survey {
  /** Tables whose elements code changes. */
  readonly changedTables: ReadonlySet<number>;
  readonly grownTables: ReadonlySet<number>;
  readonly dropsSegments: boolean;
}

export function surveyModule(module: DecodedModule): Survey {
  const changedTables = new Set<number>();
  const grownTables = new Set<number>();
  let dropsSegments = false;
  const list = createInstructions();
  const features = new Set<string>();
  for (const body of module.bodies) {
    decodeBody(module.bytes, body, list, features);
    for (let index = 0; index < list.count; index++) {
      const op = list.op[index] as number;
      if (op === OP.tableSet || op === OP.tableFill || op === OP.tableCopy)
        changedTables.add(list.arg[index] as number);
      else if (op === OP.tableInit) changedTables.add(list.target[index] as number);
      else if (op === OP.tableGrow) grownTables.add(list.arg[index] as number);
      else if (op === OP.dataDrop || op === OP.elemDrop) dropsSegments = true;
    }
  }
  return { changedTables, grownTables, dropsSegments };
}
