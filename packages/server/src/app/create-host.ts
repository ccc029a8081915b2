import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Clock, Command, CommandOutcome, Host, Logger } from '../kernel/ports.ts';

/** A credential is small; whatever writes more is no plugin that we know. */
const MAX_OUTPUT = 1024 ** 2;

/** Files, commands and timers of this machine. */
export function createHost(clock: Clock, log: Logger): Host {
  return {
    clock,
    log,
    random: () => Math.random(),
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    readFile: (path) => readFile(path, 'utf8'),
    runCommand,
  };
}

function runCommand({ command, args, env, timeout, input = '' }: Command): Promise<CommandOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutcome>();
  const options = {
    env: { ...process.env, ...env },
    timeout,
    maxBuffer: MAX_OUTPUT,
    encoding: 'utf8',
  } as const;
  const child = execFile(command, args, options, (error, stdout) => {
    const code = error === null ? 0 : error.code;
    if (typeof code === 'string') reject(error);
    else resolve({ code: code ?? undefined, stdout });
  });
  // A command that does not read it closes its side first. Nobody is there to be asked for more.
  child.stdin?.on('error', () => undefined).end(input);
  return promise;
}
