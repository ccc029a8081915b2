import type { OutputStream } from '../wasm/wasi/wasi-context.ts';

/** Bytes that are kept; the rest is dropped. */
const MAX_BYTES = 16 * 1024;
/** Characters of it in an error. */
const MAX_SHOWN = 1000;

/** The beginning of what a guest writes to standard error: panics tell first what happened, then where. */
export class StandardError implements OutputStream {
  readonly #pieces: Uint8Array[] = [];
  #left = MAX_BYTES;

  take(bytes: Uint8Array): boolean {
    if (this.#left <= 0 || bytes.length === 0) return true;
    const piece = bytes.slice(0, this.#left);
    this.#pieces.push(piece);
    this.#left -= piece.length;
    return true;
  }

  /** Empty when nothing was written. */
  text(): string {
    return Buffer.concat(this.#pieces).toString('utf8').trimEnd();
  }

  /** The same for an error. */
  excerpt(): string {
    const text = this.text();
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN).toWellFormed()}…` : text;
  }
}
