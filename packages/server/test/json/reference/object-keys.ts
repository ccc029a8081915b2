/** Up to this many keys, comparing each with each is the fastest; beyond it a hostile object would make that quadratic. */
const PAIRWISE = 16;

/**
 * The keys of all objects that are open during a scan, to find one that stands twice. Keys are compared by their canonical
 * spelling, so `"a"` and `"\u0061"` are the same. Offsets leave out the quotes.
 */
export class ObjectKeys {
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #prints: Int32Array;
  readonly #bases: Int32Array;
  readonly #sets: (Set<string> | undefined)[];
  #bytes: Buffer = Buffer.alloc(0);
  #top = 0;
  #used = 0;

  constructor(maxDepth: number) {
    const places = (maxDepth + 1) * PAIRWISE;
    this.#starts = new Int32Array(places);
    this.#ends = new Int32Array(places);
    this.#prints = new Int32Array(places);
    this.#bases = new Int32Array(maxDepth + 2);
    this.#sets = Array.from({ length: maxDepth + 2 }, () => undefined);
  }

  /** Begins a document. */
  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#top = 0;
    for (let depth = 0; depth <= this.#used; depth++) this.#sets[depth] = undefined;
    this.#used = 0;
  }

  /** Lets go of the document. */
  end(): void {
    this.begin(EMPTY);
  }

  /** Begins an object at this depth; ends those that were deeper. */
  open(depth: number): void {
    this.#bases[depth] = this.#top;
    if (depth > this.#used) this.#used = depth;
    else this.#sets[depth] = undefined;
  }

  close(depth: number): void {
    this.#top = this.#bases[depth] as number;
  }

  /** False when the object at this depth has the key already. */
  add(depth: number, start: number, end: number): boolean {
    const base = this.#bases[depth] as number;
    if (this.#top - base >= PAIRWISE || this.#sets[depth] !== undefined) {
      return this.#addToSet(depth, this.#bytes.toString('utf8', start - 1, end + 1));
    }
    const print = fingerprint(this.#bytes, start, end);
    for (let index = base; index < this.#top; index++) {
      if (this.#prints[index] === print && this.#isSame(index, start, end)) return false;
    }
    this.#starts[this.#top] = start;
    this.#ends[this.#top] = end;
    this.#prints[this.#top] = print;
    this.#top++;
    return true;
  }

  /** As {@link add}, for a key that was not in canonical spelling: here it is, quotes included. */
  addText(depth: number, key: string): boolean {
    return this.#addToSet(depth, key);
  }

  /** Members keep their quotes: then none of them is an array index, which V8 hashes without its secret seed. */
  #addToSet(depth: number, key: string): boolean {
    let set = this.#sets[depth];
    if (set === undefined) {
      set = new Set();
      for (let index = this.#bases[depth] as number; index < this.#top; index++) {
        set.add(
          this.#bytes.toString(
            'utf8',
            (this.#starts[index] as number) - 1,
            (this.#ends[index] as number) + 1,
          ),
        );
      }
      this.#sets[depth] = set;
    }
    const size = set.size;
    set.add(key);
    return set.size > size;
  }

  #isSame(index: number, start: number, end: number): boolean {
    const other = this.#starts[index] as number;
    const length = end - start;
    if ((this.#ends[index] as number) - other !== length) return false;
    for (let offset = 0; offset < length; offset++) {
      if (this.#bytes[other + offset] !== this.#bytes[start + offset]) return false;
    }
    return true;
  }
}

const EMPTY = Buffer.alloc(0);

/** Tells most keys apart in constant time; equal keys have equal ones. */
function fingerprint(bytes: Buffer, start: number, end: number): number {
  if (start === end) return 0;
  const length = end - start;
  const middle = bytes[start + (length >> 1)] as number;
  return (length << 24) ^ ((bytes[start] as number) << 16) ^ (middle << 8) ^ (bytes[end - 1] as number);
}
