import type { Logger } from '../../kernel/ports.ts';
import type { CommandIo } from '../command-io.ts';

/** Debug lines of guests to standard error with `--verbose`, nothing otherwise. */
export function createCommandLog(io: CommandIo, verbose: boolean): Logger {
  return {
    enabled: () => verbose,
    log: (level, message, fields) => {
      if (verbose) io.err(`${level}: ${message} ${JSON.stringify(fields ?? {})}\n`);
    },
  };
}
