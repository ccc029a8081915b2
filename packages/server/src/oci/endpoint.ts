import type { OciReference } from './reference.ts';

/** Where requests for a registry go. */
export interface MirrorRule {
  /** Registry that the endpoints stand for, or `*`: every one that no other rule names. */
  readonly registry: string;
  /** Origins, optionally with a path that is put before the repository; asked in their order, and the registry itself last. */
  readonly endpoints: readonly string[];
}

/** One registry that can be asked for the content of a reference. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly origin: string;
  /** What credentials are found by: never the name of another registry. */
  readonly registry: string;
  readonly repository: string;
  /** Named by the operator: it may have a private address. */
  readonly trusted: boolean;
  /** The registry that a mirror is asked for. */
  readonly mirrorOf?: string;
}

export interface EndpointOptions {
  readonly mirrors: readonly MirrorRule[];
  /** Registries that are spoken to in plain HTTP. */
  readonly plainHttp: (registry: string) => boolean;
}

const HUB_API = 'registry-1.docker.io';

/** The registry itself. */
export function ownEndpoint({ registry, repository }: OciReference, options: EndpointOptions): Endpoint {
  const isPlain = options.plainHttp(registry);
  const host = registry === 'docker.io' ? HUB_API : registry;
  return { origin: `${isPlain ? 'http' : 'https'}://${host}`, registry, repository, trusted: isPlain };
}

/** All that may be asked for content: mirrors in the order of the configuration, the registry itself last. */
export function endpointsOf(reference: OciReference, options: EndpointOptions): readonly Endpoint[] {
  const rule =
    options.mirrors.find(({ registry }) => registry === reference.registry) ??
    options.mirrors.find(({ registry }) => registry === '*');
  const mirrors = (rule?.endpoints ?? []).map((text): Endpoint => {
    const url = new URL(text);
    const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
    return {
      origin: url.origin,
      registry: url.host,
      repository: prefix === '' ? reference.repository : `${prefix}/${reference.repository}`,
      trusted: true,
      mirrorOf: reference.registry,
    };
  });
  return [...mirrors, ownEndpoint(reference, options)];
}
