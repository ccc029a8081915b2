import { describe, test } from 'node:test';
import { endToEndRequired, missingComponent, type ComponentName } from './components.ts';

/**
 * A `describe` whose tests need real components, by default an API server and kubectl. Without them it is a single skipped
 * test that says why, so that the summary counts it; with PORTCULLIS_E2E=required it runs and fails.
 */
export function describeWithKubernetes(
  name: string,
  body: () => void,
  needs: readonly ComponentName[] = ['kubernetes-1.36'],
): void {
  const missing = missingComponent(needs);
  if (missing === undefined || endToEndRequired()) {
    void describe(name, body);
    return;
  }
  void test(name, { skip: missing });
}
