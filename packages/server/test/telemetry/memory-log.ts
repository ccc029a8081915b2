import type { Logger, LogLevel } from '../../src/kernel/ports.ts';

export interface MemoryLog extends Logger {
  readonly lines: {
    readonly level: LogLevel;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log that keeps its lines. */
export function createMemoryLog(level: LogLevel = 'debug'): MemoryLog {
  const enabled = (asked: LogLevel): boolean => LEVELS.indexOf(asked) >= LEVELS.indexOf(level);
  const lines: MemoryLog['lines'] = [];
  return {
    lines,
    enabled,
    log(asked, message, fields = {}) {
      if (enabled(asked)) lines.push({ level: asked, message, fields });
    },
  };
}
