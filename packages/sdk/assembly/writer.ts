/** UTF-8 text that grows. */
export class Writer {
  private start: usize = heap.alloc(256);
  private capacity: usize = 256;
  private used: usize = 0;

  get address(): usize {
    return this.start;
  }

  get length(): i32 {
    return i32(this.used);
  }

  /** Text as it is: JSON, or a part of it. */
  raw(text: string): Writer {
    this.reserve(usize(text.length) * 3);
    this.used += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.start + this.used);
    return this;
  }

  /** A JSON string, with its quotes. */
  text(text: string): Writer {
    this.raw('"');
    let plain = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x20 && code != 0x22 && code != 0x5c && !isLoneSurrogate(text, index)) continue;
      this.raw(text.substring(plain, index)).raw(escaped(code));
      plain = index + 1;
    }
    return this.raw(plain == 0 ? text : text.substring(plain)).raw('"');
  }

  append(other: Writer): Writer {
    this.reserve(other.used);
    memory.copy(this.start + this.used, other.start, other.used);
    this.used += other.used;
    return this;
  }

  toString(): string {
    return String.UTF8.decodeUnsafe(this.start, this.used);
  }

  private reserve(bytes: usize): void {
    if (this.used + bytes <= this.capacity) return;
    this.capacity = max(this.capacity * 2, this.used + bytes);
    this.start = heap.realloc(this.start, this.capacity);
  }
}

/** Half a pair cannot be written in UTF-8. */
function isLoneSurrogate(text: string, index: i32): bool {
  const code = text.charCodeAt(index) & 0xfc00;
  if (code == 0xd800) return (text.charCodeAt(index + 1) & 0xfc00) != 0xdc00;
  return code == 0xdc00 && (index == 0 || (text.charCodeAt(index - 1) & 0xfc00) != 0xd800);
}

function escaped(code: i32): string {
  if (code == 0x22) return '\\"';
  if (code == 0x5c) return '\\\\';
  return '\\u' + hex(code >> 12) + hex(code >> 8) + hex(code >> 4) + hex(code);
}

function hex(digit: i32): string {
  return '0123456789abcdef'.charAt(digit & 15);
}
