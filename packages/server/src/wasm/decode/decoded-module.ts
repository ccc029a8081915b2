import type { ModuleInfo } from '../module-info.ts';
import type { ConstExpression } from './const-expression.ts';
import type { Limits, TypeCodes } from './decode-types.ts';

/** Bytes `start` … `end − 1` of the module. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface SectionRange extends ByteRange {
  readonly id: number;
}

export interface DecodedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  /** Functions and tags only. */
  readonly typeIndex: number;
  readonly range: ByteRange;
}

export interface DecodedTable {
  readonly type: number;
  readonly limits: Limits;
  /** The expression that all elements start with; absent for null. */
  readonly initial?: ConstExpression;
}

export interface DecodedGlobal {
  readonly type: number;
  readonly mutable: boolean;
  /** Absent for imported globals. */
  readonly initial?: ConstExpression;
}

export interface DecodedExport {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** One entry of the element section. Either function indices or expressions. */
export interface DecodedElements {
  /** Everything before the vector of elements, with its flags. */
  readonly head: ByteRange;
  readonly functions?: readonly number[];
  readonly expressions?: readonly ConstExpression[];
}

/** A module taken apart as far as the rewrite needs it; everything else is a range of the original bytes. */
export interface DecodedModule {
  readonly bytes: Uint8Array;
  readonly info: ModuleInfo;
  readonly sections: readonly SectionRange[];
  readonly types: readonly TypeCodes[];
  readonly imports: readonly DecodedImport[];
  readonly importedFunctions: number;
  /** Type index of every function, imported ones first. */
  readonly functionTypes: readonly number[];
  /** All tables and globals, imported ones first. */
  readonly tables: readonly DecodedTable[];
  readonly memory?: Limits;
  readonly globals: readonly DecodedGlobal[];
  readonly exports: readonly DecodedExport[];
  readonly start?: number;
  readonly elements: readonly DecodedElements[];
  /** Entries of the code section without their size. */
  readonly bodies: readonly ByteRange[];
}
