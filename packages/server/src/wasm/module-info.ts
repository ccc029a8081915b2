/** What a module says of itself; made by the decoder, shown by `portcullis inspect`, read by engine detection. */
export interface ModuleInfo {
  /** SHA-256 of the original bytes, lower-case hex. */
  readonly digest: string;
  readonly byteLength: number;
  readonly imports: readonly ImportInfo[];
  readonly exports: readonly ExportInfo[];
  readonly memory?: {
    readonly initialPages: number;
    readonly maximumPages?: number;
    readonly imported: boolean;
  };
  /** Initial elements of each table. */
  readonly tables: readonly number[];
  readonly functions: number;
  readonly hasStart: boolean;
  /** Names of custom sections with their payload sizes. */
  readonly customSections: readonly { readonly name: string; readonly byteLength: number }[];
  /** Features beyond the first version of WebAssembly that the code uses: `simd`, `bulk-memory`, … */
  readonly features: readonly string[];
}

export type ExternKind = 'function' | 'memory' | 'table' | 'global' | 'tag';

export interface FunctionType {
  /** `i32`, `i64`, `f32`, `f64`, `v128`, `funcref`, `externref`, … */
  readonly params: readonly string[];
  readonly results: readonly string[];
}

export interface ImportInfo {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Functions only. */
  readonly type?: FunctionType;
}

export interface ExportInfo {
  readonly name: string;
  readonly kind: ExternKind;
  readonly type?: FunctionType;
  /** Of a global that is an i32 and never changes. */
  readonly value?: number;
}
