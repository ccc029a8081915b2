import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface AccessWebhook {
  /** With the path. */
  readonly url: string;
  readonly caPem: string;
}

export interface AuthorizerOptions {
  /** Default v1. */
  readonly version?: 'v1' | 'v1beta1';
  /** What it means when the webhook cannot be asked; default NoOpinion. */
  readonly failurePolicy?: 'NoOpinion' | 'Deny';
}

/** Flags and files by which an API server asks webhooks who somebody is and what they may do. */
export interface AccessWebhooks {
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** The API server follows the file while it runs. */
  writeAuthorizers(options: AuthorizerOptions): Promise<void>;
}

/** Nothing is remembered by the API server for longer than a moment, so that what it is told counts at once. */
const MOMENT = '1ms';

/** The webhook of authorization comes before RBAC, and is not asked about the server's own components. */
export async function writeAccessWebhooks(
  directory: string,
  webhooks: { readonly authentication: AccessWebhook; readonly authorization: AccessWebhook },
): Promise<AccessWebhooks> {
  const files = {
    authentication: join(directory, 'authentication.json'),
    authorization: join(directory, 'authorization.json'),
    authorizers: join(directory, 'authorizers.json'),
  };
  await writeFile(files.authentication, kubeconfig(webhooks.authentication));
  await writeFile(files.authorization, kubeconfig(webhooks.authorization));
  const writeAuthorizers = (options: AuthorizerOptions): Promise<void> =>
    writeFile(files.authorizers, authorizers(files.authorization, options));
  await writeAuthorizers({});
  return {
    flags: {
      'authentication-token-webhook-config-file': files.authentication,
      'authentication-token-webhook-cache-ttl': MOMENT,
      'authorization-mode': undefined,
      'authorization-config': files.authorizers,
    },
    writeAuthorizers,
  };
}

function kubeconfig({ url, caPem }: AccessWebhook): string {
  const authority = Buffer.from(caPem).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'portcullis', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'kube-apiserver', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'portcullis', user: 'kube-apiserver' } }],
    'current-context': 'webhook',
  });
}

function authorizers(
  kubeConfigFile: string,
  { version = 'v1', failurePolicy = 'NoOpinion' }: AuthorizerOptions,
): string {
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers: [
      {
        type: 'Webhook',
        name: 'portcullis',
        webhook: {
          timeout: '3s',
          subjectAccessReviewVersion: version,
          matchConditionSubjectAccessReviewVersion: 'v1',
          failurePolicy,
          authorizedTTL: MOMENT,
          unauthorizedTTL: MOMENT,
          connectionInfo: { type: 'KubeConfigFile', kubeConfigFile },
          matchConditions: [{ expression: "!request.user.startsWith('system:')" }],
        },
      },
      { type: 'RBAC', name: 'rbac' },
    ],
  });
}
