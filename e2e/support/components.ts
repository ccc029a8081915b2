import { join } from 'node:path';
import { buildComponent, componentDirectory, isComponentBuilt, type GoComponent } from './go-component.ts';

export type KubernetesVersion = '1.36' | '1.37';
export type ComponentName = `kubernetes-${KubernetesVersion}` | 'helm-4' | 'opa-1';

const KUBE_APISERVER = {
  directory: join(import.meta.dirname, '..', 'kube-apiserver'),
  sources: ['main.go'],
  version: { module: 'k8s.io/kubernetes', variable: 'k8s.io/component-base/version.gitVersion' },
};

// In the order in which they are built: what most suites need comes first.
const COMPONENTS: Readonly<Record<ComponentName, GoComponent>> = {
  'kubernetes-1.36': {
    ...KUBE_APISERVER,
    name: 'kubernetes-1.36',
    moduleFile: 'go.mod',
    packages: ['.', 'k8s.io/kubernetes/cmd/kubectl'],
    binaries: ['kube-apiserver', 'kubectl'],
  },
  // kubectl may be one version off, so there is one.
  'kubernetes-1.37': {
    ...KUBE_APISERVER,
    name: 'kubernetes-1.37',
    moduleFile: 'go-1.37.mod',
    packages: ['.'],
    binaries: ['kube-apiserver'],
  },
  'helm-4': {
    name: 'helm-4',
    directory: join(import.meta.dirname, '..', 'helm'),
    moduleFile: 'go.mod',
    sources: [],
    version: { module: 'helm.sh/helm/v4', variable: 'helm.sh/helm/v4/internal/version.version' },
    packages: ['helm.sh/helm/v4/cmd/helm'],
    binaries: ['helm'],
  },
  'opa-1': {
    name: 'opa-1',
    directory: join(import.meta.dirname, '..', 'opa'),
    moduleFile: 'go.mod',
    sources: ['oracle/main.go'],
    packages: ['./oracle', 'github.com/open-policy-agent/opa'],
    binaries: ['oracle', 'opa'],
  },
};

export function kubeApiserverBinary(version: KubernetesVersion): string {
  return binary(`kubernetes-${version}`, 'kube-apiserver');
}

export function kubectlBinary(): string {
  return binary('kubernetes-1.36', 'kubectl');
}

export function helmBinary(): string {
  return binary('helm-4', 'helm');
}

export function opaBinary(): string {
  return binary('opa-1', 'opa');
}

/** OPA as a library behind standard input; see e2e/opa/oracle. */
export function opaOracleBinary(): string {
  return binary('opa-1', 'oracle');
}

/** The first of the components that is not built, as a sentence; `undefined` when all are. */
export function missingComponent(names: readonly ComponentName[]): string | undefined {
  const missing = names.find((name) => !isComponentBuilt(COMPONENTS[name]));
  if (missing === undefined) return undefined;
  return `${missing} is not built in ${componentDirectory(COMPONENTS[missing])}: run \`npm run e2e\`, it needs go`;
}

/** Whether a missing component must fail the run instead of skipping suites. */
export function endToEndRequired(): boolean {
  return process.env['PORTCULLIS_E2E'] === 'required';
}

/**
 * Builds every component that is not there, one after the other: they share Go's own caches, and one build fills the
 * machine. Returns `undefined` on success, else one line about the first that failed.
 */
export async function buildComponents(): Promise<string | undefined> {
  for (const component of Object.values(COMPONENTS)) {
    if (isComponentBuilt(component)) continue;
    const started = performance.now();
    const failure = await buildComponent(component);
    if (failure !== undefined) return failure;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    process.stderr.write(`e2e: built ${component.name} in ${seconds} s\n`);
  }
  return undefined;
}

function binary(component: ComponentName, name: string): string {
  return join(componentDirectory(COMPONENTS[component]), name);
}
