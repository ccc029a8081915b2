import { homedir } from 'node:os';
import { join } from 'node:path';
import { isFault, type Fault } from '../kernel/fault.ts';
import type { Host } from '../kernel/ports.ts';
import { attempt } from '../kernel/result.ts';
import { createDockerKeychain } from '../oci/auth/docker-keychain.ts';
import { createOciClient } from '../oci/create-oci-client.ts';
import type { OciClient } from '../oci/oci-client.ts';
import type { RegistryObserver } from '../oci/registry-observer.ts';
import type { Config } from './config/config.ts';
import { VERSION } from './version.ts';

/** A client of registries as the configuration says; nothing is asked of any yet. */
export async function openOciClient(
  config: Omit<Config['sources']['oci'], 'refresh' | 'plainHttp'> & {
    readonly plainHttp: readonly string[] | ((registry: string) => boolean);
  },
  host: Host,
  observer?: RegistryObserver,
): Promise<OciClient | Fault> {
  const { caFile, ca: inline, dockerConfigFile, plainHttp, ...rest } = config;
  const fromFile =
    caFile === undefined
      ? undefined
      : await attempt('PC_CONFIG_VALUE', 'cannot read `sources.oci.caFile`', () => host.readFile(caFile));
  if (isFault(fromFile)) return fromFile;
  const ca = joinedPem(fromFile, inline);
  return createOciClient({
    ...rest,
    plainHttp: typeof plainHttp === 'function' ? plainHttp : (registry) => plainHttp.includes(registry),
    keychain: createDockerKeychain({
      file:
        dockerConfigFile ?? join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json'),
      optional: dockerConfigFile === undefined,
      host,
    }),
    runtime: host,
    userAgent: `portcullis/${VERSION}`,
    ...(ca === undefined ? {} : { ca }),
    ...(observer === undefined ? {} : { observer }),
  });
}

/** Authorities of a file and of the configuration itself; undefined when there are none. */
export function joinedPem(...texts: readonly (string | undefined)[]): string | undefined {
  const given = texts.filter((text) => text !== undefined && text !== '');
  return given.length === 0 ? undefined : given.join('\n');
}
