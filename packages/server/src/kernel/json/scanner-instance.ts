import type { JsonShape, ShapeNode } from './json-shape.ts';
import { SCANNER_MODULE } from './scanner-module.ts';

/** What packages/server/assembly/json-scanner exports; the globals are addresses and sizes of its layout. */
interface ScannerExports {
  readonly memory: WebAssembly.Memory;
  scan(length: number, rangesSize: number): number;
  readonly RESULT: WebAssembly.Global<number>;
  readonly RANGES: WebAssembly.Global<number>;
  readonly NODES: WebAssembly.Global<number>;
  readonly NODE_SIZE: WebAssembly.Global<number>;
  readonly FRAMES: WebAssembly.Global<number>;
  readonly INPUT: WebAssembly.Global<number>;
  readonly PADDING: WebAssembly.Global<number>;
}

/** What an instance works with, looked up once. */
interface ScannerLayout {
  readonly input: number;
  readonly padding: number;
}

const PAGE = 65_536;
const WORD = 4;
const REASON_DEPTH = 1;
const REASON_DUPLICATE_KEY = 2;

let compiled: WebAssembly.Module | undefined;

/** The scanner's module with a memory of its own: one shape, and one document at a time. */
export class ScannerInstance {
  readonly #exports: ScannerExports;
  readonly #layout: ScannerLayout;
  readonly #rangesSize: number;
  /** Of wide objects, by depth. With their quotes no key is an array index, which V8 would hash without its secret seed. */
  readonly #keys = new Map<number, Set<string>>();
  #memory: Buffer;
  /** Whether a number is long, the reason, then the ranges. */
  #results: Int32Array;

  constructor(shape: JsonShape) {
    compiled ??= new WebAssembly.Module(Buffer.from(SCANNER_MODULE, 'base64'));
    const host = {
      respell: (start: number, end: number) => this.#respell(start, end),
      widen: (depth: number) => void this.#keys.set(depth, new Set()),
      addKey: (depth: number, start: number, end: number) => this.#addKey(depth, start, end),
    };
    this.#exports = new WebAssembly.Instance(compiled, { host }).exports as unknown as ScannerExports;
    this.#layout = { input: this.#exports.INPUT.value, padding: this.#exports.PADDING.value };
    this.#rangesSize = shape.size * WORD;
    this.#memory = this.#viewMemory();
    this.#results = this.#viewResults();
    writeShape(this.#exports, shape);
  }

  /** The offset of what is wrong, or -1. The bytes must be UTF-8. */
  scan(bytes: Uint8Array): number {
    const { input, padding } = this.#layout;
    const missing = input + bytes.length + padding - this.#memory.length;
    if (missing > 0) {
      this.#exports.memory.grow(Math.ceil(missing / PAGE));
      this.#memory = this.#viewMemory();
      this.#results = this.#viewResults();
    }
    this.#memory.set(bytes, input);
    const at = this.#exports.scan(bytes.length, this.#rangesSize);
    if (this.#keys.size > 0) this.#keys.clear();
    return at;
  }

  /** Of the last scan; a copy. */
  ranges(): number[] {
    const ranges: number[] = [];
    // A third of what `slice` takes for so few.
    for (let index = 2; index < this.#results.length; index++) ranges.push(this.#results[index] as number);
    return ranges;
  }

  /** Of the last scan. */
  get hasLongNumber(): boolean {
    return this.#results[0] === 1;
  }

  /** Why the last scan stopped. */
  get code(): 'PC_REVIEW_JSON' | 'PC_REVIEW_DEPTH' | 'PC_REVIEW_DUPLICATE_KEY' {
    const reason = this.#results[1];
    if (reason === REASON_DEPTH) return 'PC_REVIEW_DEPTH';
    return reason === REASON_DUPLICATE_KEY ? 'PC_REVIEW_DUPLICATE_KEY' : 'PC_REVIEW_JSON';
  }

  /** Canonical text has no `\u` that can be written as a character, and no `\/`; so it is never longer. */
  #respell(start: number, end: number): number {
    const text = JSON.stringify(JSON.parse(this.#memory.toString('utf8', start, end)));
    return start + this.#memory.write(text, start);
  }

  #addKey(depth: number, start: number, end: number): number {
    const keys = this.#keys.get(depth) as Set<string>;
    const before = keys.size;
    keys.add(this.#memory.toString('utf8', start, end));
    return keys.size - before;
  }

  #viewMemory(): Buffer {
    return Buffer.from(this.#exports.memory.buffer);
  }

  #viewResults(): Int32Array {
    return new Int32Array(
      this.#exports.memory.buffer,
      this.#exports.RESULT.value,
      2 + this.#rangesSize / WORD,
    );
  }
}

/** Breadth first, so that the children of a node are neighbours; the keys stand behind all nodes. */
function writeShape(exports: ScannerExports, shape: JsonShape): void {
  const { memory, RANGES, NODES, NODE_SIZE, FRAMES } = exports;
  const nodes: ShapeNode[] = [shape.root];
  // The list grows while it is walked.
  for (const node of nodes) nodes.push(...node.children);
  const size = nodes.reduce((sum, { bytes }) => sum + NODE_SIZE.value + bytes.length, 0);
  if (NODES.value + size > FRAMES.value || RANGES.value + shape.size * WORD > NODES.value) {
    throw new TypeError('a shape wants more members than a scanner has room for');
  }
  const view = Buffer.from(memory.buffer);
  const addressOf = (index: number): number => NODES.value + index * NODE_SIZE.value;
  let key = addressOf(nodes.length);
  let child = 1;
  for (const [index, { slot, bytes, children }] of nodes.entries()) {
    const end = child + children.length;
    const fields = [slot, key, bytes.length, addressOf(child), addressOf(end)];
    for (const [place, field] of fields.entries()) view.writeInt32LE(field, addressOf(index) + place * WORD);
    view.set(bytes, key);
    key += bytes.length;
    child = end;
  }
}
