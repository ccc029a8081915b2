import { Fault } from '../../kernel/fault.ts';

/** As it stands: a byte order mark at the start of a name is part of it. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a Wasm binary with every access checked. Inside the decoder a violation is thrown as a {@link Fault} with the byte
 * offset; `decodeModule` returns it as a value.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  fail(what: string, at: number = this.at): never {
    throw new Fault('PC_MODULE_MALFORMED', `the module is malformed at byte ${at}: ${what}`, {
      data: { offset: at },
    });
  }

  refuse(feature: string, at: number = this.at): never {
    throw new Fault(
      'PC_MODULE_FEATURE',
      `the module uses ${feature} at byte ${at}, which a policy may not use`,
      {
        data: { feature, offset: at },
      },
    );
  }

  byte(): number {
    if (this.at >= this.end) this.fail('unexpected end');
    return this.bytes[this.at++] as number;
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.fail('unexpected end');
    this.at += count;
  }

  /** LEB128, at most five bytes. */
  u32(): number {
    const first = this.byte();
    return first < 0x80 ? first : this.#longU32(first);
  }

  #longU32(first: number): number {
    const start = this.at - 1;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const next = this.byte();
      if (shift === 28 && next > 0x0f) this.fail('integer too large', start);
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value >>> 0;
    }
    return this.fail('integer too long', start);
  }

  /** Passes over a signed LEB128 of at most `bits` bits; its value is nothing to us, its length is. */
  skipSigned(bits: 32 | 33 | 64): void {
    const start = this.at;
    const most = Math.ceil(bits / 7);
    for (let count = 1; count <= most; count++) {
      const next = this.byte();
      if (next >= 0x80) continue;
      if (count === most && !signBitsAgree(next, bits - 7 * (most - 1)))
        this.fail('integer too large', start);
      return;
    }
    this.fail('integer too long', start);
  }

  /** A vector's length: never more than the bytes that are left, so that no claim makes us allocate. */
  count(what: string, most: number): number {
    const start = this.at;
    const count = this.u32();
    if (count > this.end - this.at) this.fail(`${count} ${what} are more than the bytes that follow`, start);
    if (count > most) this.fail(`${count} ${what} are more than ${most}`, start);
    return count;
  }

  name(): string {
    const start = this.at;
    const length = this.count('bytes of a name', 100_000);
    this.at += length;
    try {
      return UTF8.decode(this.bytes.subarray(this.at - length, this.at));
    } catch {
      return this.fail('a name is not UTF-8', start);
    }
  }
}

/** In the last byte of a signed LEB128 the bits above the value's must repeat its sign. */
function signBitsAgree(last: number, usedBits: number): boolean {
  const upper = last >> (usedBits - 1);
  return upper === 0 || upper === (1 << (8 - usedBits)) - 1;
}
