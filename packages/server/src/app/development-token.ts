import { randomBytes } from 'node:crypto';
import { sha256 } from '../kernel/digest.ts';
import type { Config } from './config/config.ts';

type Token = Config['management']['tokens'][number];

export interface DevelopmentToken {
  /** Shown once, at start; only its digest is kept. */
  readonly secret: string;
  readonly entry: Token;
}

/** A fresh admin token for this run. */
export function createDevelopmentToken(): DevelopmentToken {
  const secret = `pc_${randomBytes(24).toString('base64url')}`;
  return { secret, entry: { name: 'development', role: 'admin', sha256: sha256(secret) } };
}
