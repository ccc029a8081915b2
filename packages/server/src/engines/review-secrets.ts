import type { Review } from '@portcullis/contract';
import type { Logger } from '../kernel/ports.ts';
import type { EngineHost } from './engine.ts';

/** What a cluster keeps or asks about by such objects is a secret. */
const SECRET_KINDS: ReadonlySet<string> = new Set(['/secrets', 'authentication.k8s.io/tokenreviews']);
const SILENT: Logger = { enabled: () => false, log: () => undefined };

/** Whether what a guest prints of its request could be a token or the content of a Secret. */
export function holdsSecret({ gate, resource }: Review): boolean {
  return gate === 'authentication' || SECRET_KINDS.has(`${resource.group}/${resource.resource}`);
}

/** The host of one evaluation, with a log that takes nothing of a request that holds a secret. */
export function discreetHost(host: EngineHost, review: Review): EngineHost {
  return holdsSecret(review) ? { ...host, log: SILENT } : host;
}
