export interface LoadLimits {
  /** Requests under way. */
  readonly maxRequests: number;
  /** Bytes of their bodies together. */
  readonly maxBytes: number;
}

/** What one gate thread has taken on. */
export class LoadGauge {
  readonly #limits: LoadLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  /** False: over the limit, and nothing was taken. */
  enter(bytes: number): boolean {
    if (this.#requests >= this.#limits.maxRequests || this.#bytes + bytes > this.#limits.maxBytes)
      return false;
    this.#requests += 1;
    this.#bytes += bytes;
    return true;
  }

  /** A body without announced length grew. False: over the limit. */
  grow(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
  }
}
