import { describe, test } from 'node:test';
import { endToEndRequired, isKubernetesBuilt, kubernetesBinaries } from './build-kube-apiserver.ts';

/**
 * A `describe` whose tests need a real API server. Without one it is a single skipped test that says why, so that the
 * summary counts it; with PORTCULLIS_E2E=required it runs and fails.
 */
export function describeWithKubernetes(name: string, body: () => void): void {
  if (isKubernetesBuilt() || endToEndRequired()) {
    void describe(name, body);
    return;
  }
  const { directory } = kubernetesBinaries();
  void test(name, { skip: `kube-apiserver is not built in ${directory}: run \`npm run e2e\`, it needs go` });
}
