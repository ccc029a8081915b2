/**
 * The part of the WebAssembly JavaScript API that the server uses, with promise integration: the compiler's own
 * declarations come only with those of a browser.
 */
declare namespace WebAssembly {
  type ExternKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'anyfunc' | 'externref';
  type Exports = Record<string, unknown>;
  type Imports = Record<string, Record<string, unknown>>;
  type Bytes = ArrayBufferView<ArrayBuffer> | ArrayBuffer;

  class Module {
    constructor(bytes: Bytes);
    static exports(module: Module): { name: string; kind: ExternKind }[];
    static imports(module: Module): { module: string; name: string; kind: ExternKind }[];
    static customSections(module: Module, name: string): ArrayBuffer[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number });
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(count: number, value?: unknown): number;
  }
  class Global<T = unknown> {
    constructor(descriptor: { value: ValueType; mutable?: boolean }, value?: T);
    value: T;
  }
  class Tag {
    constructor(type: { parameters: readonly ValueType[] });
    toString(): string;
  }
  class Exception extends Error {
    constructor(tag: Tag, payload: readonly unknown[], options?: { traceStack?: boolean });
    is(tag: Tag): boolean;
    getArg(tag: Tag, index: number): unknown;
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  /** An import that may suspend the guest until the promise that it returned is settled. */
  class Suspending<A extends never[]> {
    constructor(run: (...args: A) => unknown);
    toString(): string;
  }
  /** A guest's export as a function that returns a promise, so that `Suspending` imports can suspend it. */
  function promising(exported: unknown): (...args: unknown[]) => Promise<unknown>;

  function validate(bytes: Bytes): boolean;
  function compile(bytes: Bytes): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
