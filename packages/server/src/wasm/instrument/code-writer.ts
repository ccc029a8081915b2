import { ByteWriter } from '../binary/byte-writer.ts';
import { OP } from '../binary/opcodes.ts';

export const VOID_BLOCK = 0x40;

/** Writes instructions, by the codes of `opcodes.ts`. */
export class CodeWriter extends ByteWriter {
  op(code: number): this {
    if (code < 0x100) {
      this.byte(code);
    } else {
      this.byte(code < 0x200 ? 0xfc : 0xfd);
      this.u32(code & 0xff);
    }
    return this;
  }

  /** An instruction with one or more indices. */
  at(code: number, ...indices: readonly number[]): this {
    this.op(code);
    for (const index of indices) this.u32(index);
    return this;
  }

  i32(value: number): this {
    this.byte(OP.i32Const);
    this.s32(value);
    return this;
  }

  /** `block`, `loop` or `if` without parameters and results. */
  open(code: number): this {
    this.byte(code);
    this.byte(VOID_BLOCK);
    return this;
  }

  end(): this {
    this.byte(OP.end);
    return this;
  }
}

/** Starts the body of a function with `count` locals of type i32. */
export function createBody(count = 0): CodeWriter {
  const body = new CodeWriter(64);
  body.raw(count === 0 ? [0] : [1, count, 0x7f]);
  return body;
}
