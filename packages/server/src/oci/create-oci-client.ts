import { Fault, isFault } from '../kernel/fault.ts';
import type { Runtime } from '../kernel/ports.ts';
import { createAuthorizer } from './auth/authorizer.ts';
import type { Keychain } from './auth/credential.ts';
import { hasDigest } from './content-digest.ts';
import { endpointsOf, ownEndpoint, type Endpoint, type EndpointOptions } from './endpoint.ts';
import { createExchange, type Bounds } from './http/exchange.ts';
import { createTransport } from './http/transport.ts';
import type { AskOptions, OciClient } from './oci-client.ts';
import { askDigest, fetchManifest, MAX_MANIFEST } from './fetch-manifest.ts';
import { fetchBlob } from './fetch-blob.ts';
import { fetchReferrers } from './fetch-referrers.ts';
import { pushBlob, pushManifest } from './push.ts';
import { pinned, type OciReference } from './reference.ts';
import type { RegistryObserver } from './registry-observer.ts';

export interface OciClientOptions extends EndpointOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'after'>;
  /** Our own credentials. */
  readonly keychain: Keychain;
  /** Milliseconds for one question at one endpoint. */
  readonly timeout: number;
  /** Allow registries with private addresses; those that `mirrors` and `plainHttp` name may have them anyway. */
  readonly allowPrivate: boolean;
  /** PEM of further certificate authorities. */
  readonly ca?: string;
  readonly userAgent: string;
  readonly observer?: RegistryObserver;
}

export function createOciClient(options: OciClientOptions): OciClient {
  const { runtime } = options;
  const transport = createTransport(options);
  const authorizer = createAuthorizer(transport, runtime.clock);
  const exchange = createExchange({ transport, authorizer, runtime, observer: options.observer });

  function boundsOf({ signal, timeout = options.timeout, keychain = options.keychain }: AskOptions): Bounds {
    const limit = AbortSignal.timeout(timeout);
    return {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      deadline: runtime.clock.now() + timeout,
      keychain,
    };
  }

  /** The first endpoint that has it answers; when none has, the registry itself has the last word. */
  async function firstOf<T>(
    reference: OciReference,
    ask: AskOptions,
    from: (endpoint: Endpoint, bounds: Bounds) => Promise<T | Fault>,
  ): Promise<T | Fault> {
    const failed: Fault[] = [];
    for (const endpoint of endpointsOf(reference, options)) {
      const answer = await from(endpoint, boundsOf(ask));
      if (!isFault(answer) || answer.code === 'PC_OCI_ABORTED') return answer;
      failed.push(answer);
    }
    return allFailed(failed);
  }

  const client: OciClient = {
    async digest(reference, ask = {}) {
      if (reference.digest !== undefined) return reference.digest;
      return firstOf(reference, ask, (endpoint, bounds) => askDigest(exchange, endpoint, reference, bounds));
    },

    manifest: (reference, ask = {}) =>
      firstOf(reference, ask, (endpoint, bounds) => fetchManifest(exchange, endpoint, reference, bounds)),

    async blob(reference, descriptor, maxBytes, ask = {}) {
      if (descriptor.size > maxBytes) {
        return new Fault(
          'PC_OCI_SIZE',
          `\`${descriptor.digest}\` has ${descriptor.size} bytes; the cap is ${maxBytes}`,
        );
      }
      return firstOf(reference, ask, (endpoint, bounds) => fetchBlob(exchange, endpoint, descriptor, bounds));
    },

    async configuration(reference, ask = {}) {
      const manifest = await client.manifest(reference, ask);
      if (isFault(manifest)) return manifest;
      const { content } = manifest;
      if (content.kind === 'index') {
        return new Fault('PC_OCI_ARTIFACT', 'it is an index of several images, which has no configuration');
      }
      const bytes = await client.blob(pinned(reference, manifest.digest), content.config, MAX_MANIFEST, ask);
      return isFault(bytes) ? bytes : { manifest: { ...manifest, content }, bytes };
    },

    referrers: (reference, { artifactType } = {}, ask = {}) =>
      firstOf(reference, ask, (endpoint, bounds) =>
        fetchReferrers(exchange, endpoint, { digest: reference.digest, artifactType }, bounds),
      ),

    pushBlob: (reference, bytes, ask = {}) =>
      pushBlob(exchange, ownEndpoint(reference, options), bytes, boundsOf(ask)),

    async pushManifest(reference, manifest, ask = {}) {
      if (reference.digest !== undefined && !hasDigest(manifest.bytes, reference.digest)) {
        return new Fault('PC_OCI_DIGEST', `the manifest does not have the digest \`${reference.digest}\``);
      }
      return pushManifest(
        exchange,
        ownEndpoint(reference, options),
        { reference, ...manifest },
        boundsOf(ask),
      );
    },

    close: () => transport.close(),
  };
  return client;
}

function allFailed(failed: readonly Fault[]): Fault {
  const last = failed.at(-1);
  if (last === undefined) throw new TypeError('a reference without an endpoint');
  if (failed.length === 1) return last;
  const before = failed.slice(0, -1).map(({ message }) => message);
  return new Fault(last.code, `${last.message} (mirrors: ${before.join('; ')})`, {
    cause: last,
    data: last.data,
  });
}
