import type { Register } from '../register.ts';
import { CelFailure } from '../cel-failure.ts';

/** A URL with a scheme, or an absolute path, as Kubernetes takes them. */
class Url {
  readonly url: URL;
  readonly hasScheme: boolean;

  constructor(url: URL, hasScheme: boolean) {
    this.url = url;
    this.hasScheme = hasScheme;
  }
}

const TYPE = 'kubernetes.URL';

/** Kubernetes' URL library, over the URL parser of the WHATWG: unlike Go's it brings hosts into lower case and drops default ports. */
export const registerUrlFunctions: Register = (environment) => {
  environment.registerType(TYPE, Url);
  environment.registerOperator(
    `${TYPE} == ${TYPE}`,
    (a: Url, b: Url) => a.hasScheme === b.hasScheme && a.url.href === b.url.href,
  );
  environment.registerFunction(`url(string): ${TYPE}`, (text: string) => {
    const url = parseUrl(text);
    if (url === undefined) throw new CelFailure('url() takes an absolute URL or an absolute path');
    return url;
  });
  environment.registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined);

  const part = (signature: string, read: (url: URL) => unknown): void => {
    environment.registerFunction(`${TYPE}.${signature}`, ({ url }: Url) => read(url));
  };
  environment.registerFunction(`${TYPE}.getScheme(): string`, ({ url, hasScheme }: Url) =>
    hasScheme ? url.protocol.slice(0, -1) : '',
  );
  environment.registerFunction(`${TYPE}.getHost(): string`, ({ url, hasScheme }: Url) =>
    hasScheme ? url.host : '',
  );
  environment.registerFunction(`${TYPE}.getHostname(): string`, ({ url, hasScheme }: Url) =>
    hasScheme ? url.hostname.replace(/^\[|\]$/g, '') : '',
  );
  part('getPort(): string', (url) => url.port);
  part('getEscapedPath(): string', (url) => url.pathname);
  part('getQuery(): map<string, list<string>>', (url) => {
    const query = new Map<string, string[]>();
    for (const [key, value] of url.searchParams) query.set(key, [...(query.get(key) ?? []), value]);
    return query;
  });
};

function parseUrl(text: string): Url | undefined {
  if (/^\/(?!\/)/.test(text)) {
    const url = URL.parse(text, 'path://');
    return url === null ? undefined : new Url(url, false);
  }
  const url = /^[a-z][a-z0-9+.-]*:/i.test(text) ? URL.parse(text) : null;
  return url === null ? undefined : new Url(url, true);
}
