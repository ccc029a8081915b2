import { z } from 'zod';

// As kubectl: unknown keys are ignored, and an explicit null or an empty text means absent.
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const cluster = z.object({
  server: text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': flag,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'proxy-url': text,
  extensions: list(z.object({ name: z.string(), extension: z.unknown() })),
});

const exec = z.object({
  apiVersion: text,
  command: text,
  args: list(z.string()),
  env: list(z.object({ name: z.string().min(1), value: z.string() })),
  provideClusterInfo: flag,
  installHint: text,
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always']).nullish(),
});

const user = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': list(z.string()),
  'as-user-extra': z
    .record(z.string(), z.array(z.string()))
    .nullish()
    .transform((extra) => extra ?? {}),
  exec: exec.nullish(),
  'auth-provider': z.object({ name: z.string() }).nullish(),
});

const context = z.object({ cluster: text, user: text, namespace: text });

export const KUBECONFIG_SCHEMA = z.object({
  clusters: list(
    z.object({ name: z.string(), cluster: cluster.nullish().transform((value) => value ?? undefined) }),
  ),
  users: list(z.object({ name: z.string(), user: user.nullish().transform((value) => value ?? undefined) })),
  contexts: list(
    z.object({ name: z.string(), context: context.nullish().transform((value) => value ?? undefined) }),
  ),
  'current-context': text,
});

export type Kubeconfig = z.infer<typeof KUBECONFIG_SCHEMA>;
export type KubeconfigCluster = z.infer<typeof cluster>;
export type KubeconfigUser = z.infer<typeof user>;
export type KubeconfigContext = z.infer<typeof context>;
export type KubeconfigExec = z.infer<typeof exec>;
