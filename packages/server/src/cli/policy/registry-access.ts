import { performance } from 'node:perf_hooks';
import { InvalidArgumentError, type Command } from 'commander';
import { isLoopback } from '../../app/config/config.ts';
import { createHost } from '../../app/create-host.ts';
import { openOciClient } from '../../app/open-oci-client.ts';
import { parseDuration } from '../../kernel/duration.ts';
import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Host, Logger } from '../../kernel/ports.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { EXIT, type CommandIo } from '../command-io.ts';

/** How commands reach registries. */
export interface RegistryOptions {
  readonly dockerConfig?: string;
  readonly caFile?: string;
  readonly plainHttp?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** The largest module or other blob that a command handles. */
export const MAX_BLOB: number = 256 * 1024 ** 2;

const TIMEOUT = 60_000;

const silent: Logger = { enabled: () => false, log: () => undefined };

export function withRegistryOptions(command: Command): Command {
  return command
    .option(
      '--docker-config <file>',
      'config.json with credentials (default: the one that `docker login` writes)',
    )
    .option('--ca-file <file>', 'PEM file with further authorities')
    .option('--plain-http', 'speak to the registry without TLS (default for registries on this machine)')
    .option('--timeout <duration>', 'time for one request (default: 60s)', parseTimeout);
}

export function createCommandHost(): Host {
  return createHost({ now: () => performance.now(), wall: () => Date.now() }, silent);
}

/** A client for commands, which run on the machine of who asks: private addresses are allowed. */
export function openRegistry(options: RegistryOptions): Promise<OciClient | Fault> {
  const { dockerConfig, caFile, plainHttp = false, timeout = TIMEOUT } = options;
  return openOciClient(
    {
      timeout,
      allowPrivate: true,
      mirrors: [],
      // Who names an authority has a registry with TLS.
      plainHttp: (registry) => plainHttp || (caFile === undefined && isOnThisMachine(registry)),
      ...(caFile === undefined ? {} : { caFile }),
      ...(dockerConfig === undefined ? {} : { dockerConfigFile: dockerConfig }),
    },
    createCommandHost(),
  );
}

/** Opens a client for a piece of work that answers with an exit code, and tells its faults. */
export async function withRegistry(
  options: RegistryOptions,
  io: CommandIo,
  work: (client: OciClient) => Promise<Fault | undefined>,
): Promise<number> {
  const client = await openRegistry(options);
  if (isFault(client)) return tell(client, io);
  try {
    const problem = await work(client);
    return problem === undefined ? EXIT.ok : tell(problem, io);
  } finally {
    client.close();
  }
}

export function tell({ code, message, advice }: Fault, io: CommandIo): number {
  io.err(`${code}: ${message}\n  ${advice}\n`);
  return EXIT.badInput;
}

function isOnThisMachine(registry: string): boolean {
  return isLoopback(registry.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
}

function parseTimeout(text: string): number {
  const parsed = parseDuration(text);
  if (isFault(parsed)) throw new InvalidArgumentError(parsed.message);
  return parsed;
}
