/** What a TLS listener needs, as PEM; goes to the gate threads in a message and nowhere else. */
export interface TlsMaterial {
  /** Leaf first. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of client certificates. */
  readonly ca?: string;
}

/** A pair that passed every check, and what is known about it. */
export interface Certificate {
  readonly material: TlsMaterial;
  /** Milliseconds since 1970; the earliest of the chain. */
  readonly notAfter: number;
  /** Over all contents: equal means nothing changed. */
  readonly fingerprint: string;
}
