import { ByteReader } from '../binary/byte-reader.ts';
import { OP, OPCODES, type Immediate } from '../binary/opcodes.ts';
import { readBlockType, readValueType } from './decode-types.ts';
import { reserveInstructions, type Instructions } from './instructions.ts';

/** V8 allows 50,000 with parameters, of which there are at most 1000; the rewrite adds two. */
const MAX_LOCALS = 48_000;

type Follow = (reader: ByteReader, list: Instructions, index: number, walk: Walk) => void;

/** What serves the walk through one body. */
interface Walk {
  /** Openers of the blocks around the instruction; −1 is the function. */
  readonly open: number[];
  readonly features: Set<string>;
}

const FOLLOW: Readonly<Record<Immediate, Follow>> = {
  none: () => {},
  block: (reader, list, index, walk) => {
    list.arg[index] = 0;
    readBlockType(reader, walk.features);
  },
  index: (reader, list, index) => {
    list.arg[index] = reader.u32();
  },
  label: (reader, list, index, walk) => {
    const depth = reader.u32();
    list.arg[index] = depth;
    list.target[index] = labelTarget(reader, list, depth, walk);
  },
  labels: (reader, list, index, walk) => {
    const count = reader.count('labels of br_table', 65_520);
    list.arg[index] = list.labels.length;
    list.labels.push(count + 1);
    for (let label = 0; label <= count; label++)
      list.labels.push(labelTarget(reader, list, reader.u32(), walk));
  },
  catches: (reader, list, index, walk) => {
    readBlockType(reader, walk.features);
    const count = reader.count('catch clauses', 65_520);
    list.arg[index] = list.labels.length;
    list.labels.push(count);
    for (let clause = 0; clause < count; clause++) {
      const kind = reader.byte();
      if (kind > 3) reader.fail('unknown kind of catch clause', reader.at - 1);
      if (kind < 2) reader.u32();
      list.labels.push(labelTarget(reader, list, reader.u32(), walk));
    }
  },
  two: (reader, list, index) => {
    list.arg[index] = reader.u32();
    list.target[index] = reader.u32();
  },
  types: (reader, _list, _index, walk) => {
    for (let left = reader.count('types of select', 1000); left > 0; left--)
      readValueType(reader, walk.features);
  },
  heap: (reader, _list, _index, walk) => void readValueType(reader, walk.features),
  memarg: readMemoryArgument,
  memargLane: (reader) => {
    readMemoryArgument(reader);
    reader.byte();
  },
  memory: readMemoryIndex,
  memories: (reader) => {
    readMemoryIndex(reader);
    readMemoryIndex(reader);
  },
  dataMemory: (reader, list, index) => {
    list.arg[index] = reader.u32();
    readMemoryIndex(reader);
  },
  s32: (reader) => reader.skipSigned(32),
  s64: (reader) => reader.skipSigned(64),
  four: (reader) => reader.skip(4),
  eight: (reader) => reader.skip(8),
  sixteen: (reader) => reader.skip(16),
  lane: (reader) => void reader.byte(),
};

/** A short way for the most frequent instructions: those of the first version with no immediate or one index. */
const KIND = { other: 0, none: 1, index: 2 } as const;

const KINDS = Uint8Array.from(OPCODES, (row) => {
  if (row === undefined || row.refused || row.feature !== undefined) return KIND.other;
  if (row.immediate === 'none') return KIND.none;
  return row.immediate === 'index' ? KIND.index : KIND.other;
});

/**
 * Walks one entry of the code section from its local declarations to its last `end`, and fills `list`.
 * Throws a Fault through the reader when the bytes break the format.
 */
export function decodeBody(
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  list: Instructions,
  features: Set<string>,
): void {
  const reader: ByteReader = new ByteReader(bytes, range.start, range.end);
  reserveInstructions(list, range.end - range.start);
  Object.assign(list, {
    count: 0,
    hasLoop: false,
    hasHandler: false,
    bodyStart: range.start,
  });
  list.labels.length = 0;
  list.locals = readLocals(reader, features);
  list.codeStart = reader.at;
  const walk: Walk = { open: [-1], features };
  while (walk.open.length > 0) {
    const index = list.count++;
    list.at[index] = reader.at;
    const op = readOpcode(reader);
    list.op[index] = op;
    const kind = KINDS[op] as number;
    if (kind === KIND.index) {
      list.arg[index] = reader.u32();
    } else if (kind === KIND.other) {
      followRow(reader, list, index, walk);
    }
    if (op <= OP.tryTable) trackBlocks(reader, list, index, walk.open);
  }
  if (!reader.done) reader.fail('bytes after the end of a function');
  list.at[list.count] = reader.at;
}

function followRow(reader: ByteReader, list: Instructions, index: number, walk: Walk): void {
  const op = list.op[index] as number;
  const row = OPCODES[op];
  if (row === undefined) reader.fail(`unknown instruction 0x${op.toString(16)}`, list.at[index]);
  if (row.refused) reader.refuse(row.names, list.at[index]);
  if (row.feature !== undefined) walk.features.add(row.feature);
  FOLLOW[row.immediate](reader, list, index, walk);
}

function readOpcode(reader: ByteReader): number {
  const first = reader.byte();
  if (first !== 0xfc && first !== 0xfd) return first;
  const at = reader.at;
  const code = reader.u32();
  if (code > 0x1ff || (first === 0xfc && code > 0xff)) reader.fail('unknown instruction', at - 1);
  return (first === 0xfc ? 0x100 : 0x200) + code;
}

function readLocals(reader: ByteReader, features: Set<string>): number {
  let total = 0;
  for (let groups = reader.count('groups of locals', MAX_LOCALS); groups > 0; groups--) {
    const at = reader.at;
    total += reader.u32();
    if (total > MAX_LOCALS) reader.fail(`more than ${MAX_LOCALS} locals`, at);
    readValueType(reader, features);
  }
  return total;
}

function labelTarget(reader: ByteReader, list: Instructions, depth: number, walk: Walk): number {
  const { open } = walk;
  if (depth >= open.length) reader.fail(`label ${depth} does not exist`, reader.at - 1);
  const opener = open[open.length - 1 - depth] as number;
  if (opener >= 0 && list.op[opener] === OP.loop) {
    list.arg[opener] = 1;
    list.hasLoop = true;
  }
  return opener;
}

/** Keeps the stack of open blocks and joins each closing instruction to its opener. */
function trackBlocks(reader: ByteReader, list: Instructions, index: number, open: number[]): void {
  const op = list.op[index] as number;
  switch (op) {
    case OP.try:
    case OP.tryTable:
      list.hasHandler = true;
      open.push(index);
      return;
    case OP.block:
    case OP.loop:
    case OP.if:
      open.push(index);
      return;
    case OP.else:
      list.opener[index] = expectOpen(reader, list, open, OP.if);
      return;
    case OP.catch:
    case OP.catchAll:
      list.opener[index] = expectOpen(reader, list, open, OP.try);
      return;
    case OP.delegate:
      list.opener[index] = expectOpen(reader, list, open, OP.try);
      list.close[open.pop() as number] = index;
      return;
    case OP.end: {
      const opener = open.pop() as number;
      list.opener[index] = opener;
      if (opener >= 0) list.close[opener] = index;
      return;
    }
    default:
  }
}

function expectOpen(reader: ByteReader, list: Instructions, open: readonly number[], op: number): number {
  const opener = open[open.length - 1] as number;
  if (opener < 0 || list.op[opener] !== op)
    reader.fail('else, catch or delegate outside its block', reader.at - 1);
  return opener;
}

/** Bit 6 of the alignment announces a memory index. */
function readMemoryArgument(reader: ByteReader): void {
  const at = reader.at;
  const alignment = reader.u32();
  if (alignment & 0x40) reader.refuse('more than one memory', at);
  if (alignment > 0x3f) reader.fail('alignment out of range', at);
  reader.u32();
}

function readMemoryIndex(reader: ByteReader): void {
  const at = reader.at;
  if (reader.byte() !== 0) reader.refuse('more than one memory', at);
}
