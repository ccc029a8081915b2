import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from './certificates.ts';

/** A token server as distribution defines it, which lets one user in: https://distribution.github.io/distribution/spec/auth/jwt/ */
export interface TokenServer {
  readonly realm: string;
  /** The scopes that were asked for. */
  readonly scopes: string[];
  close(): Promise<void>;
}

export interface TokenServerOptions {
  readonly issuer: string;
  readonly service: string;
  /** The registry trusts its certificate; of an RSA or a P-256 key. */
  readonly identity: Identity;
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { issuer, service, identity, username, password, identityToken } = options;
  const key = createPrivateKey(identity.keyPem);
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const scopes: string[] = [];

  function tokenFor(scope: string): string {
    const [type = '', name = '', actions = ''] = scope.split(':');
    const now = Math.floor(Date.now() / 1000);
    const der = identity.certificatePem.replace(/-----[^-]+-----|\s/g, '');
    const alg = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
    const claims = {
      iss: issuer,
      sub: username,
      aud: service,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access: [{ type, name, actions: actions.split(',') }],
    };
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${encode({ typ: 'JWT', alg, x5c: [der] })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }

  const server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const form = new URLSearchParams(body);
      const query = new URL(request.url ?? '/', 'http://token.test').searchParams;
      const scope = form.get('scope') ?? query.get('scope') ?? '';
      const isIdentity = request.method === 'POST' && form.get('refresh_token') === identityToken;
      scopes.push(scope);
      if (!isIdentity && request.headers.authorization !== basic) {
        response.writeHead(401).end('{"details":"incorrect username or password"}');
      } else response.end(JSON.stringify({ token: tokenFor(scope), expires_in: 300 }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    scopes,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
