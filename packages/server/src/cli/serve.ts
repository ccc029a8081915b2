import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { CONFIG_OPTIONS } from '../app/config/config-options.ts';
import { loadConfig, type ConfigInput } from '../app/config/load-config.ts';
import { startServer, type RunningServer } from '../app/start-server.ts';
import { withSmallYoungGeneration } from '../app/with-small-young-generation.ts';
import { isFault, type Fault } from '../kernel/fault.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { developmentBanner } from './development-banner.ts';

type Given = Readonly<Record<string, unknown>>;

export function createServeCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('serve')
    .summary('run the server')
    .description(
      'Runs the server: admission webhooks over HTTPS, and a management API.\n' +
        'Every key of the configuration can also be set by a variable: serving.port is PORTCULLIS_SERVING_PORT.\n' +
        'Options win over variables, variables over the file. SIGTERM drains, SIGHUP reloads policies, certificates and tokens.',
    )
    .option('-c, --config <file>', 'configuration; default: portcullis.yaml, when there is one')
    .option('--policies <dir...>', 'folders with policies, besides those of the configuration', [])
    .option(
      '--development',
      'serve on loopback with a self-signed certificate and a fresh admin token',
      false,
    )
    .option('--bind <host:port>', 'address of the gates (serving.host, serving.port)');
  for (const { flag, key, value } of CONFIG_OPTIONS) {
    command.addOption(new Option(`${flag} <${value.toLowerCase()}>`, `sets ${key}`));
  }
  return command
    .addHelpText('after', '\nExample:\n  portcullis serve --development --policies policies')
    .action(async (given: Given) => {
      const code = await serve(given, io);
      if (code !== undefined) finish(code);
    });
}

function serve(given: Given, io: CommandIo): Promise<number | undefined> {
  return runServer(
    {
      ...(typeof given['config'] === 'string' ? { file: given['config'] } : {}),
      policies: Array.isArray(given['policies']) ? given['policies'].map(String) : [],
      options: textOptions(given),
      development: given['development'] === true,
    },
    io,
  );
}

/** What the command line says. */
export type ServerInput = Pick<ConfigInput, 'file' | 'policies' | 'options' | 'development' | 'policyServer'>;

/** Undefined while the server runs; its end is up to the signals. */
export async function runServer(input: ServerInput, io: CommandIo): Promise<number | undefined> {
  // First: the kernel gives a container's first process only the signals that it listens for.
  const signals = handleSignals();
  const loaded = await loadConfig({
    ...input,
    environment: process.env,
    workingDirectory: process.cwd(),
    cores: availableParallelism(),
    terminal: process.stderr.isTTY,
  });
  if (isFault(loaded)) return refuse(loaded, io);
  for (const warning of loaded.warnings) io.err(`warning: ${warning}\n`);
  const server = await withSmallYoungGeneration(() => startServer(loaded.config));
  if (isFault(server)) {
    // Threads and timers of what did start must not hold the process.
    refuse(server, io);
    process.exit(EXIT.badInput);
  }
  if (server.development !== undefined) io.out(developmentBanner(server, io));
  signals.running(server);
  return undefined;
}

function refuse(fault: Fault, io: CommandIo): number {
  io.err(`error: ${fault.message}\n  ${fault.code}: ${fault.advice}\n`);
  return EXIT.badInput;
}

/** Options by flag, as the configuration wants them. commander has turned `--cert-path` into `certPath`. */
function textOptions(given: Given): ReadonlyMap<string, string> {
  const flags = [...CONFIG_OPTIONS.map(({ flag }) => flag), '--bind'];
  return new Map(
    flags.flatMap((flag) => {
      const name = flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const value = given[name];
      return typeof value === 'string' ? [[flag, value] as const] : [];
    }),
  );
}

/** Listens from the start, so that no signal finds the process without a plan. */
function handleSignals(): { running(server: RunningServer): void } {
  let server: RunningServer | undefined;
  let stopping = false;
  const stop = (): void => {
    // A second signal is an order, and before the server runs there is nothing to finish.
    if (stopping || server === undefined) process.exit(stopping ? 1 : 0);
    stopping = true;
    const { log } = server;
    server.drain().then(
      () => process.exit(0),
      (error: unknown) => {
        log.log('error', 'the server did not stop cleanly', { reason: String(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => void server?.reload());
  return {
    running(started) {
      server = started;
    },
  };
}
