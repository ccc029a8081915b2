/** One row of the error catalogue. `docs/errors.md` is generated from these. */
export interface FaultEntry {
  /** What it means, in one clause. */
  readonly meaning: string;
  /** What to do next, in one sentence. */
  readonly advice: string;
}
