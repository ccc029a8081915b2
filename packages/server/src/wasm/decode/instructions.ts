/**
 * One function body as parallel arrays, filled by the walk and used again for the next body: no object per instruction.
 *
 *   index      0        1      2       …   count-1
 *   op         code of the instruction (see `opcodes.ts`)
 *   at         its byte offset; at[count] is the end of the body
 *   arg        first index after the opcode; for branches the label's depth; for br_table and try_table where its labels
 *              start in `labels`, as [count, target, target, …]
 *   target     for br, br_if: the instruction that opened the label's block, −1 for the function itself
 *                for call_indirect, table.init, table.copy: the second index
 *   close      for block, loop, if, try, try_table: the matching end (or delegate)
 *   opener     for else, catch, catch_all, delegate, end: the block they belong to, −1 for the function's end
 */
export interface Instructions {
  count: number;
  op: Uint16Array;
  at: Uint32Array;
  arg: Uint32Array;
  target: Int32Array;
  close: Int32Array;
  opener: Int32Array;
  /** Openers of labels, −1 for the function. */
  labels: number[];
  /** A loop that some branch goes back to. */
  hasLoop: boolean;
  hasHandler: boolean;
  /** First byte of the local declarations, number of declared locals, first byte after the declarations. */
  bodyStart: number;
  locals: number;
  codeStart: number;
}

export function createInstructions(capacity = 4096): Instructions {
  return {
    count: 0,
    op: new Uint16Array(capacity),
    at: new Uint32Array(capacity + 1),
    arg: new Uint32Array(capacity),
    target: new Int32Array(capacity),
    close: new Int32Array(capacity),
    opener: new Int32Array(capacity),
    labels: [],
    hasLoop: false,
    hasHandler: false,
    bodyStart: 0,
    locals: 0,
    codeStart: 0,
  };
}

/** Makes room for a body of `bytes` bytes: no instruction is shorter than one byte. */
export function reserveInstructions(list: Instructions, bytes: number): void {
  if (list.op.length >= bytes) return;
  const capacity = bytes + (bytes >> 2);
  Object.assign(list, { ...createInstructions(capacity), labels: list.labels });
}
