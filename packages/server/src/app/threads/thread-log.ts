import type { Logger, LogLevel } from '../../kernel/ports.ts';
import type { FromThread } from './thread-messages.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The log of a gate thread: the control thread writes it. */
export function createThreadLog(level: LogLevel, send: (message: FromThread) => void): Logger {
  const lowest = LEVELS.indexOf(level);
  const enabled = (asked: LogLevel): boolean => LEVELS.indexOf(asked) >= lowest;
  return {
    enabled,
    log(asked, message, fields = {}) {
      if (enabled(asked)) send({ type: 'log', level: asked, message, fields });
    },
  };
}
