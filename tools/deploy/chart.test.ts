import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { METRICS } from '../../packages/server/src/telemetry/metrics/metric-definitions.ts';
import { checkConfig } from '../../packages/server/src/app/config/check-config.ts';
import { isFault } from '../../packages/server/src/kernel/fault.ts';
import { dashboardFile } from './dashboard.ts';
import { CHART } from '../../e2e/support/helm.ts';
import { noHelm, runHelm } from './render-chart.ts';

const skip = noHelm() ?? false;

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

async function render(...args: readonly string[]): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await runHelm([
    'template',
    'portcullis',
    CHART,
    '--namespace=guard',
    ...args,
  ]);
  equal(code, 0, stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

function only(objects: readonly Rendered[], kind: string): Rendered {
  const [found, ...others] = objects.filter((object) => object.kind === kind);
  ok(found !== undefined && others.length === 0, `${others.length + (found ? 1 : 0)} of ${kind}`);
  return found;
}

describe('the chart', { skip }, () => {
  test('passes the strict lint', async () => {
    const { code, stdout, stderr } = await runHelm(['lint', '--strict', CHART]);
    equal(code, 0, stdout + stderr);
  });

  test('renders all kinds with all options', async () => {
    const objects = await render(
      '--set=certificate.certManager.enabled=true,monitoring.podMonitor.enabled=true',
      '--set=monitoring.dashboard.enabled=true,management.tokensSecret=tokens,sources.secrets=a=b',
      '--set=sources.moduleNamespaces={one,two},networkPolicy.managementFrom={monitoring}',
    );
    const kinds = [...new Set(objects.map(({ kind }) => kind))].sort();
    deepEqual(kinds, [
      'Certificate',
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'CustomResourceDefinition',
      'Deployment',
      'Issuer',
      'Lease',
      'MutatingWebhookConfiguration',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'PodMonitor',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
      'ValidatingWebhookConfiguration',
    ]);
    // The certificate names the Service under which API servers look for it.
    const certificate = objects.find(
      ({ kind, metadata }) => kind === 'Certificate' && metadata.name === 'portcullis',
    );
    match(JSON.stringify(certificate), /"portcullis\.guard\.svc"/);
  });

  test('grants what policies may read of the cluster, and nothing of it by itself', async () => {
    const rules = async (...args: readonly string[]): Promise<string> =>
      JSON.stringify(only(await render(...args), 'ClusterRole')['rules']);
    const granted = await rules(
      '--set-json=contextAware.resources=[{"apiGroups":["networking.k8s.io"],"resources":["ingresses"]}]',
      '--set=contextAware.accessReviews=true',
    );
    const reads =
      '{"apiGroups":["networking.k8s.io"],"resources":["ingresses"],"verbs":["get","list","watch"]}';
    ok(granted.includes(reads), granted);
    match(granted, /"subjectaccessreviews"\],"verbs":\["create"\]/);
    const byItself = await rules();
    equal(/networking|subjectaccessreviews/.test(byItself), false, byItself);
    // An upgrade with the values of an older chart.
    equal(await rules('--set=contextAware=null'), byItself);
  });

  test('modules are kept in the volume of the pod, or in one that is given', async () => {
    const rendered = async (...args: readonly string[]): Promise<string> => {
      const objects = await render(...args);
      const own = objects.filter(({ metadata }) => metadata.name === 'portcullis');
      const { data } = only(own, 'ConfigMap') as unknown as { data: Record<string, string> };
      const { sources } = parse(data['portcullis.yaml'] ?? '') as { sources: unknown };
      return JSON.stringify([sources, only(own, 'Deployment')['spec']]);
    };
    const byItself = await rendered();
    ok(
      byItself.includes('{"cache":{"directory":"/var/lib/portcullis/modules","maxBytes":"128Mi"}}'),
      byItself,
    );
    ok(!byItself.includes('/var/cache/portcullis'));
    // An upgrade with the values of an older chart.
    equal(await rendered('--set=moduleCache=null'), byItself);
    const given = await rendered(
      '--set=moduleCache.volume.persistentVolumeClaim.claimName=modules,moduleCache.maxBytes=2Gi',
    );
    ok(given.includes('{"cache":{"directory":"/var/cache/portcullis/modules","maxBytes":"2Gi"}}'), given);
    ok(given.includes('{"name":"modules","mountPath":"/var/cache/portcullis"}'), given);
    ok(given.includes('{"name":"modules","persistentVolumeClaim":{"claimName":"modules"}}'), given);
  });

  test('a budget never forbids to move a pod', async () => {
    const budget = async (replicas: number): Promise<unknown> => {
      const objects = await render(`--set=replicas=${replicas}`);
      const found = objects.find(({ kind }) => kind === 'PodDisruptionBudget');
      return (found?.['spec'] as { minAvailable: number } | undefined)?.minAvailable;
    };
    deepEqual([await budget(1), await budget(2), await budget(3), await budget(5)], [undefined, 1, 2, 2]);
  });

  test('writes a configuration that the server takes', async () => {
    for (const args of [
      [],
      ['--set=config.telemetry.otlp.endpoint=http://otel:4318', '--set=registration.enabled=false'],
    ]) {
      const objects = await render(...args);
      const map = objects.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'portcullis',
      );
      ok(map !== undefined);
      const { 'portcullis.yaml': text = '' } = map['data'] as Record<string, string>;
      const settings = Object.entries(parse(text) as Record<string, unknown>).map(
        ([key, value]) => [key, { path: [key], value, where: () => key }] as const,
      );
      const checked = checkConfig({ settings: new Map(settings) });
      ok(!isFault(checked), isFault(checked) ? checked.message : '');
      equal(checked.management.tokensFile, '/etc/portcullis/config/tokens.yaml');
    }
  });

  test('grants Secrets only to those who ask for it', async () => {
    const grants = async (...args: readonly string[]): Promise<boolean> =>
      JSON.stringify((await render(...args)).filter(({ kind }) => kind.endsWith('Role'))).includes(
        '"secrets"',
      );
    deepEqual(
      [
        await grants(),
        await grants('--set=sources.secrets=a'),
        await grants('--set=sources.moduleSecrets=true'),
      ],
      [false, true, true],
    );
  });

  test('keeps the definitions unless told otherwise', async () => {
    const kept = async (...args: readonly string[]): Promise<readonly unknown[]> =>
      (await render(...args))
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
    deepEqual(
      await kept(),
      Array.from({ length: 5 }, () => 'keep'),
    );
    deepEqual(
      await kept('--set=crds.keep=false'),
      Array.from({ length: 5 }, () => undefined),
    );
    deepEqual(await kept('--set=crds.install=false'), []);
  });

  test('has pods without rights', async () => {
    const { spec } = only(await render(), 'Deployment') as unknown as {
      spec: {
        template: { spec: { securityContext: object; containers: readonly { securityContext: object }[] } };
      };
    };
    deepEqual(spec.template.spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    deepEqual(
      spec.template.spec.containers.map(({ securityContext }) => securityContext),
      [{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }],
    );
  });

  const TYPOS: Readonly<Record<string, RegExp>> = {
    'replcas=2': /additional properties 'replcas' not allowed/,
    'image.tga=x': /additional properties 'tga' not allowed/,
    'replicas=many': /at '\/replicas': got string, want integer/,
    'registration.timeoutSeconds=31': /maximum/,
    'image.digest=sha256:12': /does not match pattern/,
    'sources.configMaps=a b': /does not match pattern/,
    'networkPolicy.managementFrom={UPPER}': /does not match pattern/,
    'certificate.certManager.issuerRef.nmae=x': /additional properties 'nmae' not allowed/,
    'crds.keep=maybe': /at '\/crds\/keep': got string, want boolean/,
  };
  for (const [typo, message] of Object.entries(TYPOS)) {
    test(`refuses ${typo}`, async () => {
      const { code, stderr } = await runHelm(['template', 'portcullis', CHART, '--set', typo]);
      equal(code, 1);
      match(stderr, message);
    });
  }
});

test('every value of the chart is described, has a default, and is no other', async () => {
  const schema = JSON.parse(await readFile(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8')) as Record<string, unknown>;
  const { global: _, ...properties } = schema.properties ?? {};
  hold({ ...schema, properties }, values, '');
});

interface Schema {
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Where defaults are empty, the schema alone knows the keys. */
const OPEN = ['.certificate.certManager.issuerRef'];

function hold({ properties, additionalProperties }: Schema, values: unknown, path: string): void {
  if (properties === undefined) return;
  equal(additionalProperties, false, path);
  for (const [name, property] of Object.entries(properties)) {
    match(property.description ?? '', /^\S.*\.$/, `${path}.${name}`);
  }
  if (OPEN.includes(path)) return;
  deepEqual(Object.keys(values as object).sort(), Object.keys(properties).sort(), path);
  for (const [name, property] of Object.entries(properties)) {
    if (property.properties !== undefined && !['requests', 'limits'].includes(name)) {
      hold(property, (values as Record<string, unknown>)[name], `${path}.${name}`);
    }
  }
}

test('the dashboard names only metrics and labels that there are', () => {
  const dashboard = JSON.parse(dashboardFile()) as {
    panels: readonly { targets?: readonly { expr: string; legendFormat: string }[] }[];
  };
  const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
  ok(targets.length > 15);
  for (const { expr, legendFormat } of targets) {
    const [name = '', ...others] = expr.match(/\b(portcullis|webhook|plugin)_[a-z_]+/g) ?? [];
    deepEqual(others, [], expr);
    const metric = METRICS.find((known) => known.name === name.replace(/_bucket$/, ''));
    ok(metric !== undefined, `${name} in ${expr}`);
    equal(name.endsWith('_bucket'), metric.type === 'histogram', expr);
    const labels = [
      ...legendFormat.matchAll(/\{\{(\w+)\}\}/g),
      ...expr.matchAll(/(\w+)="/g),
      ...expr.matchAll(/(\w+)(?=, \w+\)|\) \()/g),
    ].map(([, label = '']) => label);
    // Those that the scrape adds, and that of histograms.
    for (const label of labels) {
      if (!['namespace', 'pod', 'le'].includes(label))
        ok(metric.labels.includes(label), `${label} in ${expr}`);
    }
  }
});
