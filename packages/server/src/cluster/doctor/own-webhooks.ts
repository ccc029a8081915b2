import type { JsonObject } from '@portcullis/contract';
import { isFault } from '../../kernel/fault.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { registrationName } from '../registration/registration-options.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { endpointName } from './endpoint-name.ts';
import { liveWebhooks, type LiveWebhook } from './live-webhook.ts';

/** Those that call us, in whatever configuration. */
export function ownWebhooks({ webhooks, options }: ClusterFacts): readonly LiveWebhook[] {
  if (isFault(webhooks)) return [];
  const own = endpointName(options.endpoint);
  return webhooks.filter(({ endpoint }) => endpoint !== undefined && endpointName(endpoint) === own);
}

/** Those of our own two configurations, wherever they call. */
export function registeredWebhooks({ webhooks, options }: ClusterFacts): readonly LiveWebhook[] {
  const name = registrationName(options);
  return isFault(webhooks) ? [] : webhooks.filter(({ configuration }) => configuration === name);
}

/** What there would be if all were as it should. */
export function expectedWebhooks({ expected }: Pick<ClusterFacts, 'expected'>): readonly LiveWebhook[] {
  return [expected.validating, expected.mutating].flatMap((document: JsonObject | undefined) =>
    document === undefined ? [] : liveWebhooks(document as unknown as KubeObject),
  );
}
