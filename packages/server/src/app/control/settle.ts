/** Turns a burst of calls into one, when it is over. */
export interface Settle {
  /** Something has happened. */
  (): void;
  /** What has not been answered yet will not be. */
  cancel(): void;
}

/**
 * Runs `then` once nothing has happened for `quiet` milliseconds, and at the latest `most` milliseconds after the first call: an
 * unpacked archive is not read half, and a folder that never rests is read all the same.
 */
export function createSettle(quiet: number, most: number, then: () => void): Settle {
  let pause: NodeJS.Timeout | undefined;
  let limit: NodeJS.Timeout | undefined;

  function cancel(): void {
    clearTimeout(pause);
    clearTimeout(limit);
    pause = limit = undefined;
  }

  function run(): void {
    cancel();
    then();
  }

  function happened(): void {
    limit ??= setTimeout(run, most);
    clearTimeout(pause);
    pause = setTimeout(run, quiet);
  }

  return Object.assign(happened, { cancel });
}
