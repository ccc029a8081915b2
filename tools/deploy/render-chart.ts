import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingComponent } from '../../e2e/support/components.ts';
import { createHelm } from '../../e2e/support/helm.ts';
import type { CommandResult } from '../../e2e/support/run-command.ts';

/** Why charts cannot be rendered here; undefined when they can. */
export function noHelm(): string | undefined {
  return missingComponent(['helm-4']);
}

/** Helm without a cluster, in a folder of its own. */
export async function runHelm(args: readonly string[], stdin?: string): Promise<CommandResult> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-helm-'));
  try {
    const helm = await createHelm({ directory });
    return await helm(args, stdin);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
