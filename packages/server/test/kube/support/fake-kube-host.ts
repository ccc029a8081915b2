import { readFile } from 'node:fs/promises';
import type { Command, CommandOutcome, KubeHost } from '../../../src/kube/kube-host.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Real files and a clock that stands still until it is told. */
export interface FakeKubeHost extends KubeHost {
  readonly lines: readonly LogLine[];
  readonly commands: readonly Command[];
  /** What the next commands answer; an error is a command that cannot be run. */
  answer: (command: Command) => CommandOutcome | Error;
  /** Lets time pass; timers fire in order. */
  advance(milliseconds: number): void;
  /** The clock on the wall jumps; the monotonic one does not. */
  jump(milliseconds: number): void;
  timers(): number;
}

export function createFakeKubeHost(random: () => number = () => 0.5): FakeKubeHost {
  let now = 1000;
  let wall = Date.UTC(2026, 10, 21);
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const lines: LogLine[] = [];
  const commands: Command[] = [];
  const host: FakeKubeHost = {
    lines,
    commands,
    answer: () => new Error('no command was expected'),
    clock: { now: () => now, wall: () => wall },
    log: {
      enabled: () => true,
      log: (level, message, fields = {}) => void lines.push({ level, message, fields }),
    },
    random,
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    readFile: (path) => readFile(path, 'utf8'),
    async runCommand(command) {
      commands.push(command);
      const outcome = host.answer(command);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at);
        if (next === undefined) break;
        timers.delete(next);
        wall += next.at - now;
        now = next.at;
        next.run();
      }
      wall += end - now;
      now = end;
    },
    jump: (milliseconds) => {
      wall += milliseconds;
    },
    timers: () => timers.size,
  };
  return host;
}
