import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { helmBinary } from './components.ts';
import { runCommand, type CommandResult } from './run-command.ts';

/** The chart of this repository. */
export const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'chart');

export interface HelmOptions {
  /** A folder of its own for Helm's configuration, caches and plugins. */
  readonly directory: string;
  /** Of the cluster and user; without it only commands that need no cluster work. */
  readonly kubeconfigPath?: string;
}

/**
 * A Helm that knows nothing of the one who runs the tests: no plugins, repositories or kubeconfig of theirs.
 * The result runs it with the given arguments; a failure is a result, not an exception.
 */
export async function createHelm(
  options: HelmOptions,
): Promise<(args: readonly string[], stdin?: string) => Promise<CommandResult>> {
  const home = (name: string): string => join(options.directory, 'helm', name);
  await mkdir(home('home'), { recursive: true });
  const env = {
    ...withoutOwnVariables(),
    HOME: home('home'),
    HELM_CACHE_HOME: home('cache'),
    HELM_CONFIG_HOME: home('config'),
    HELM_DATA_HOME: home('data'),
    KUBECONFIG: options.kubeconfigPath ?? '/dev/null',
  };
  return (args, stdin) =>
    runCommand(helmBinary(), args, {
      env,
      timeout: 300_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
}

// Every one of its flags can be set by a variable.
function withoutOwnVariables(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('HELM_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
