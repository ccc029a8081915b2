import { z } from 'zod';
import { bytesSchema, durationSchema } from './quantities.ts';

const MINUTE = 60_000;
const GIB = 1024 ** 3;

/** A file or folder. Relative ones start from the configuration file, or from the working directory for variables and options. */
const path = z.string().min(1).meta({ path: true });
const paths = z.array(z.string().min(1)).meta({ path: true });
const port = z.number().int().min(0).max(65_535);
const secret = z.string().meta({ secret: true });

const gateTls = z.strictObject({
  certFile: path
    .optional()
    .describe('PEM file with the certificate and its chain, leaf first; may hold the key too'),
  keyFile: path.optional().describe('PEM file with the private key; default: the key in `certFile`'),
  clientCaFile: path
    .optional()
    .describe(
      'PEM file with the authorities of client certificates; a client certificate that is shown must be theirs',
    ),
  clientCaFiles: paths.default([]).describe('more such files'),
  requireClientCert: z.boolean().default(false).describe('refuse clients that show no certificate'),
  minVersion: z
    .enum(['TLSv1.3', 'TLSv1.2'])
    .default('TLSv1.3')
    .describe('lowest protocol version that is accepted'),
});

const serving = z.strictObject({
  host: z
    .string()
    .min(1)
    .optional()
    .describe('address of the gates; default `0.0.0.0`, in development `127.0.0.1`'),
  port: port.default(8443).describe('port of the gates; 0 takes a free one'),
  threads: z
    .number()
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe('gate threads; default: the number of available cores'),
  tls: gateTls.prefault({}).describe('certificate of the gates'),
  maxBodyBytes: bytesSchema({ min: 1024, max: GIB })
    .prefault('7Mi')
    .describe('largest request body; an API server sends up to two objects of 3 MiB'),
  maxBufferedBytes: bytesSchema({ min: 1024, max: 64 * GIB })
    .prefault('256Mi')
    .describe('request bodies held at the same time by one gate thread; above it: 429'),
  maxConnections: z
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('open connections of one gate thread; above it: 429 and the connection is closed'),
  maxConcurrentReviews: z
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe('reviews under way in one gate thread; above it: 429'),
  headersTimeout: durationSchema({ min: 100, max: 10 * MINUTE })
    .prefault('10s')
    .describe('time that a client has for the request line and the headers'),
  requestTimeout: durationSchema({ min: 100, max: 10 * MINUTE })
    .prefault('30s')
    .describe('time that a client has for the whole request'),
  keepAliveTimeout: durationSchema({ min: 95_000, max: 60 * MINUTE })
    .prefault('100s')
    .describe(
      'time that an idle connection is kept; an API server keeps its side for 90 s and must be the first to close',
    ),
  drainDelay: durationSchema({ min: 0, max: 10 * MINUTE })
    .optional()
    .describe(
      'time that the server goes on after SIGTERM, unready, until balancers know; default `5s`, on loopback `0`',
    ),
  audiences: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'audiences of the API server (`--api-audiences`), for tokens whose policy names none; empty: it compares them itself',
    ),
  drainTimeout: durationSchema({ min: 0, max: 10 * MINUTE })
    .prefault('30s')
    .describe('time that requests under way have after that'),
});

const token = z.strictObject({
  name: z.string().min(1).describe('who uses the token; appears in the audit log'),
  role: z.enum(['viewer', 'editor', 'admin']).describe('what the token may do'),
  sha256: secret
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits: `printf %s TOKEN | sha256sum`')
    .describe('SHA-256 of the token'),
});

const management = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address of the management API; off loopback it needs TLS and tokens'),
  port: port.default(8080).describe('port of the management API; 0 takes a free one'),
  tls: z
    .strictObject({
      certFile: path.optional().describe('PEM file with the certificate and its chain; absent: plain HTTP'),
      keyFile: path.optional().describe('PEM file with the private key; default: the key in `certFile`'),
    })
    .prefault({})
    .describe('certificate of the management API'),
  tokens: z.array(token).default([]).meta({ secret: true }).describe('who may use the management API'),
  tokensFile: path
    .optional()
    .describe(
      'YAML file with more tokens, a list in the form of `management.tokens`; followed while the server runs',
    ),
  metricsOpen: z.boolean().default(true).describe('serve `/metrics` without a token'),
});

const policies = z.strictObject({
  directories: paths.default([]).describe('folders that are read with everything below them'),
  files: paths.default([]).describe('single policy files'),
  pluginsFile: path.optional().describe('a `plugins.yaml`'),
  authenticationModulesFile: path.optional().describe('WASI modules that authenticate, `modules: […]`'),
  authorizationModulesFile: path.optional().describe('WASI modules that authorize, `modules: […]`'),
  admissionModulesFile: path
    .optional()
    .describe('WASI modules for admission, `modules: […]` or an AdmissionConfiguration'),
  checkInterval: durationSchema({ min: 50, max: 10 * MINUTE })
    .prefault('2s')
    .describe('time between checks for changes that file events did not tell'),
});

const registry = z
  .string()
  .regex(
    /^[^\s/]+$/,
    'must be the host of a registry, with its port when it has one, without scheme and path',
  );

const mirror = z.strictObject({
  registry: registry.describe('the registry that is meant, or `*` for every one that no other entry names'),
  endpoints: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .describe('origins that are asked before it, in this order; a path is put before the repository'),
});

const oci = z.strictObject({
  refresh: durationSchema({ min: 0, max: 24 * 60 * MINUTE })
    .prefault('5m')
    .describe('time between two looks at a tag; 0: only when everything is loaded anew'),
  timeout: durationSchema({ min: 100, max: 10 * MINUTE })
    .prefault('30s')
    .describe('time for one request, such as the download of a module'),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe(
      'allow registries with loopback and private addresses; those of `mirrors` and `plainHttp` are allowed anyway',
    ),
  plainHttp: z.array(registry).default([]).describe('registries that are spoken to without TLS'),
  mirrors: z.array(mirror).default([]).describe('where else content of registries is found'),
  dockerConfigFile: path
    .optional()
    .describe('`config.json` of docker with credentials; default: `$DOCKER_CONFIG` or `~/.docker`, if there'),
  caFile: path.optional().describe('PEM file with further authorities for registries'),
  ca: z.string().optional().describe('further authorities for registries, in PEM'),
});

const sources = z.strictObject({
  maxModuleBytes: bytesSchema({ min: 8, max: GIB }).prefault('16Mi').describe('largest module'),
  url: z
    .strictObject({
      allowPrivate: z.boolean().default(false).describe('allow modules from loopback and private addresses'),
      allowWithoutDigest: z.boolean().default(false).describe('allow modules from URLs without `sha256`'),
      timeout: durationSchema({ min: 100, max: 10 * MINUTE })
        .prefault('30s')
        .describe('time for one download'),
      caFile: path.optional().describe('PEM file with further authorities for downloads'),
      ca: z.string().optional().describe('further authorities for downloads, in PEM'),
    })
    .prefault({})
    .describe('modules from URLs'),
  oci: oci.prefault({}).describe('modules from OCI registries'),
  cache: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('keep what was downloaded, so that a start needs no registry that is away'),
      directory: path
        .optional()
        .describe(
          'folder for it, which nobody else may write to; default `portcullis/modules` in `$XDG_CACHE_HOME` or `~/.cache`',
        ),
      maxBytes: bytesSchema({ min: 1024, max: 64 * GIB })
        .prefault('512Mi')
        .describe('most that lies there; what was not used for longest goes first'),
    })
    .prefault({})
    .describe('modules from registries and URLs, by their digests'),
});

const labelSelector = z
  .string()
  .regex(/^[^\s]*$/, 'must be a label selector as `kubectl -l` takes it, without spaces');

const registration = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('keep the webhook configurations of the cluster as the loaded policies need them'),
  name: z
    .string()
    .min(1)
    .default('portcullis')
    .describe('name of the ValidatingWebhookConfiguration and the MutatingWebhookConfiguration'),
  url: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe('origin under which the API server reaches the gates; default: `service`'),
  service: z
    .strictObject({
      name: z.string().min(1).default('portcullis').describe('the Service in front of all replicas'),
      namespace: z.string().min(1).optional().describe('its namespace; default `kubernetes.namespace`'),
      port: port.default(443).describe('its port'),
    })
    .prefault({})
    .describe('how the API server reaches the gates inside the cluster'),
  caFile: path
    .optional()
    .describe(
      'PEM file with the authority of the certificate of the gates; default: the certificate file itself',
    ),
  exemptNamespaces: z
    .array(z.string().min(1))
    .default(['kube-system'])
    .describe('namespaces whose requests never come here, beside our own: what must go on without us'),
  timeout: durationSchema({ min: 1000, max: 30_000 })
    .prefault('10s')
    .describe('the longest that an API server waits for us'),
});

const kubernetes = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('read policies, modules and namespaces from a Kubernetes API server'),
  kubeconfig: path.optional().describe('kubeconfig file; default: the service account of the pod'),
  context: z.string().min(1).optional().describe('context of the kubeconfig; default: its current one'),
  namespace: z
    .string()
    .min(1)
    .optional()
    .describe('our own namespace; default: the one of the service account or of the context'),
  identity: z
    .string()
    .min(1)
    .optional()
    .describe('name of this replica, for the election; default: the name of the host'),
  resources: z
    .boolean()
    .default(true)
    .describe('read policies, groups and exceptions from custom resources, and write their status'),
  configMaps: labelSelector
    .default('portcullis.dev/plugin=true')
    .describe('label selector of ConfigMaps in our namespace that hold plugins or policies; empty: none'),
  secrets: labelSelector
    .default('')
    .describe('label selector of Secrets in our namespace that hold plugins or policies; empty: none'),
  namespaceLabels: z
    .boolean()
    .default(true)
    .describe('follow the labels of namespaces, for `match.namespaceSelector`'),
  lease: z
    .string()
    .min(1)
    .default('portcullis')
    .describe('Lease by which the replicas agree who writes status and registration'),
  registration: registration.prefault({}).describe('the webhook configurations'),
});

const kubewarden = z.strictObject({
  policiesFile: path.optional().describe('a `policies.yml` of its policy-server'),
  policyTimeout: durationSchema({ min: 1, max: 30_000 })
    .prefault('2s')
    .describe('time of one evaluation where `timeoutEvalSeconds` does not say'),
  monitorWarnings: z
    .boolean()
    .default(false)
    .describe('tell clients what a policy in monitor mode would have denied'),
  plainHttp: z
    .boolean()
    .default(false)
    .describe('without a certificate serve the gates without TLS, for a proxy that has one in front of them'),
  acceptNamespace: z
    .string()
    .min(1)
    .optional()
    .describe('namespace whose requests are accepted, and no policy of the file is asked'),
  readinessPort: port
    .optional()
    .describe('plain HTTP port, at the address of the gates, of `/readiness` and `/healthz`; absent: none'),
});

function hasNoCredentials(text: string): boolean {
  const url = URL.parse(text);
  return url === null || (url.username === '' && url.password === '');
}

const capabilities = z.strictObject({
  maxCacheBytes: bytesSchema({ min: 1024, max: 64 * GIB })
    .prefault('64Mi')
    .describe('cluster objects that are held for policies that read them, as text'),
  ociTtl: durationSchema({ min: 0, max: 24 * 60 * MINUTE })
    .prefault('60s')
    .describe('time that an answer about an image is good for: its digest, its manifest, its signatures'),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe('tell policies that look names up addresses of private networks too'),
});

const telemetry = z.strictObject({
  otlp: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/ })
        .refine(hasNoCredentials, 'must not carry a user name or password; use `telemetry.otlp.headers`')
        .optional()
        .meta({ secret: true })
        .describe('OTLP/HTTP address for spans; absent: no tracing'),
      headers: z
        .record(z.string(), secret)
        .default({})
        .meta({ secret: true })
        .describe('headers for the OTLP receiver, such as its token'),
      sampleRatio: z.number().min(0).max(1).default(1).describe('share of reviews that are traced'),
    })
    .prefault({})
    .describe('OpenTelemetry'),
});

const namespaceEntry = z.strictObject({
  labels: z.record(z.string(), z.string()).default({}).describe('labels of the namespace'),
});

/** Every key of `portcullis.yaml`; docs/configuration.md is generated from it. */
export const configSchema = z.strictObject({
  serving: serving.prefault({}).describe('the gates'),
  management: management.prefault({}).describe('the management API'),
  policies: policies.prefault({}).describe('where policies come from'),
  sources: sources.prefault({}).describe('where modules may come from'),
  kubewarden: kubewarden.prefault({}).describe("in the place of Kubewarden's policy-server"),
  kubernetes: kubernetes.prefault({}).describe('policies, modules and registration by the Kubernetes API'),
  capabilities: capabilities
    .prefault({})
    .describe('what policies ask of the server, as far as their documents grant it'),
  namespaces: z
    .record(z.string(), namespaceEntry)
    .default({})
    .describe('labels of namespaces by name, for `match.namespaceSelector`'),
  dataDirectory: path
    .prefault('.portcullis')
    .describe('folder for policies that come through the API, and for the development certificate'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('lowest level that is logged'),
      format: z
        .enum(['json', 'pretty'])
        .optional()
        .describe('form of a log line; default `json`, in development on a terminal `pretty`'),
    })
    .prefault({})
    .describe('the log on standard error'),
  telemetry: telemetry.prefault({}).describe('spans'),
  decisions: z
    .strictObject({
      capacity: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .default(1000)
        .describe('decisions that are kept in memory for the management API'),
    })
    .prefault({})
    .describe('the decision log'),
});

/** What the keys say, defaults filled in; durations in milliseconds, sizes in bytes. */
export type ConfigValues = z.output<typeof configSchema>;
