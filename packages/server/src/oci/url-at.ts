import type { Endpoint } from './endpoint.ts';

/** A path of the API below the repository. Caching mirrors learn from `ns` which registry is meant, as containerd tells them. */
export function urlAt({ origin, repository, mirrorOf }: Endpoint, path: string): URL {
  const url = new URL(`/v2/${repository}/${path}`, origin);
  if (mirrorOf !== undefined) url.searchParams.set('ns', mirrorOf);
  return url;
}
