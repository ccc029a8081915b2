import { Fault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import { createAttemptLimit } from './attempt-limit.ts';
import { includesRole, type Role } from './roles.ts';
import type { TokenOwner, TokenStore } from './token-store.ts';

/** Decides who a request comes from and whether that is enough. */
export type Guard = (request: Request, address: string, needed: Role) => TokenOwner | Fault;

/** Longer ones are refused unread. */
const MAX_TOKEN = 512;

export function createGuard(tokens: TokenStore, clock: Pick<Clock, 'now'>): Guard {
  const attempts = createAttemptLimit(clock);
  return (request, address, needed) => {
    const header = request.headers.get('authorization');
    if (header === null) return new Fault('PC_AUTH_REQUIRED', 'this path needs a token');
    const retryAfter = attempts.blockedFor(address);
    if (retryAfter !== undefined) {
      return new Fault('PC_AUTH_ATTEMPTS', 'too many wrong tokens from this address', {
        data: { retryAfter },
      });
    }
    const token = /^bearer +([\x21-\x7e]+)$/i.exec(header)?.[1];
    const owner = token === undefined || token.length > MAX_TOKEN ? undefined : tokens.find(token);
    if (owner === undefined) {
      attempts.failed(address);
      return new Fault('PC_AUTH_REQUIRED', 'the token is not valid');
    }
    if (includesRole(owner.role, needed)) return owner;
    return new Fault(
      'PC_AUTH_FORBIDDEN',
      `token \`${owner.name}\` has the role \`${owner.role}\`, this needs \`${needed}\``,
    );
  };
}
