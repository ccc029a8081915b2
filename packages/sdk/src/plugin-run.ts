/** What one call of `validate` did. */
export interface PluginRun {
  /** What `validate` returned; undefined after a trap. */
  readonly code: number | undefined;
  /** The last `write_output`; undefined when there was none. */
  readonly output: Uint8Array | undefined;
  readonly logs: readonly string[];
  /** Why it trapped. */
  readonly trap: string | undefined;
  /** Pages of 64 KiB at the end. */
  readonly memoryPages: number;
}
