import { pino, type DestinationStream } from 'pino';
import type { Clock, Logger, LogLevel } from '../../kernel/ports.ts';
import { cut } from '../cut.ts';
import { prettyLine } from './pretty-line.ts';
import { safeFields } from './safe-fields.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes whole lines; standard error, in the server. */
  readonly destination: { write(line: string): unknown };
  readonly clock: Pick<Clock, 'wall'>;
  /** `pretty` is for people at a terminal. */
  readonly format?: 'json' | 'pretty';
}

export interface ServerLogger extends Logger {
  /** The lowest level that is written; may be changed while the server runs. */
  level: LogLevel;
}

/** Log lines with `level`, `time` (RFC 3339) and `msg`. Secrets are redacted by key, texts cut at 2048 characters. */
export function createLogger(options: LoggerOptions): ServerLogger {
  const { clock, destination } = options;
  const stream: DestinationStream = {
    write: (line) =>
      void destination.write(options.format === 'pretty' ? prettyLine(JSON.parse(line) as PlainLine) : line),
  };
  const writer = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.wall()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    get level() {
      return writer.level as LogLevel;
    },
    set level(level) {
      writer.level = level;
    },
    enabled: (level) => writer.isLevelEnabled(level),
    log(level, message, fields = {}) {
      if (writer.isLevelEnabled(level)) writer[level](safeFields(fields), cut(message));
    },
  };
}

type PlainLine = Readonly<Record<string, unknown>>;
