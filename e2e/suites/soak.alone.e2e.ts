import { equal } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import { runCommand } from '../support/run-command.ts';

const SOAK = join(import.meta.dirname, '../soak.ts');

// The same for as long as one likes is the command.
describeWithKubernetes('soak', () => {
  test('three minutes of faults under load: nothing is lost, nothing fails, nothing grows', async (context) => {
    const { code, stdout, stderr } = await runCommand(
      process.execPath,
      [SOAK, '--minutes', '3', '--seed', '20'],
      {
        timeout: 15 * 60_000,
      },
    );
    context.diagnostic(`\n${stdout}`);
    equal(code, 0, `${stdout}\n${stderr}`);
  });
});
