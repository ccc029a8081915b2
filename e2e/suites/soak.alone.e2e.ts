import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { runSoak } from '../support/run-soak.ts';
import { soakProblems, soakTable } from '../support/soak-report.ts';

// `node e2e/soak.ts` is the same for as long as one likes.
describeWithKubernetes('soak', () => {
  test('three minutes of faults under load: nothing is lost, nothing fails, nothing grows', async (context) => {
    const report = await runSoak({ minutes: 3, seed: 20, log: (line) => context.diagnostic(line) });
    context.diagnostic(`\n${soakTable(report)}`);
    deepEqual(soakProblems(report), []);
  });
});
