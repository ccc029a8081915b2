import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { constants, homedir, setPriority } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A real component that is built from a Go module, and how. */
export interface GoComponent {
  /** Names its folder in the cache, such as `helm-4`. */
  readonly name: string;
  /** Where `go build` runs. */
  readonly directory: string;
  /** The module file below `directory`; its sums lie beside it. */
  readonly moduleFile: string;
  /** More files that a build depends on. */
  readonly sources: readonly string[];
  /** A path of a module and the Go variable that is set to its version, as its own release would. */
  readonly version?: { readonly module: string; readonly variable: string };
  readonly packages: readonly string[];
  /** What the packages become. */
  readonly binaries: readonly string[];
}

/** Where the component is, or will be once it is built: outside the checkout, one folder per state of its inputs. */
export function componentDirectory(component: GoComponent): string {
  const { name } = component;
  return join(cacheRoot(), `${name}-${process.platform}-${process.arch}-${inputsDigest(component)}`);
}

export function isComponentBuilt(component: GoComponent): boolean {
  const directory = componentDirectory(component);
  return component.binaries.every((name) => existsSync(join(directory, name)));
}

/**
 * Builds a component into the cache, unless it is there. Complete or absent: the folder is renamed into place.
 * Returns `undefined` on success, else one line that says what is missing.
 */
export async function buildComponent(component: GoComponent): Promise<string | undefined> {
  if (isComponentBuilt(component)) return undefined;
  const directory = componentDirectory(component);
  await mkdir(dirname(directory), { recursive: true });
  const building = await mkdtemp(join(dirname(directory), `.building-${basename(directory)}-`));
  try {
    const failure = await goBuild(component, building);
    if (failure !== undefined) return failure;
    // Somebody else may have been faster; then theirs is as good.
    await rename(building, directory).catch((error: unknown) => {
      if (!isComponentBuilt(component)) throw error;
    });
    return undefined;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function goBuild(component: GoComponent, target: string): Promise<string | undefined> {
  const { directory, moduleFile, name, packages } = component;
  const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly'];
  args.push(`-modfile=${moduleFile}`, '-ldflags', linkerFlags(component), '-o', `${target}/`, ...packages);
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
  return new Promise((resolve) => {
    // All output goes to standard error: the caller's standard output is for test results.
    const go = spawn('go', args, { cwd: directory, env, stdio: ['ignore', process.stderr, process.stderr] });
    go.once('spawn', () => {
      if (go.pid !== undefined) setPriority(go.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    });
    go.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'ENOENT'
          ? `go is not on the path: install Go 1.26 or later to build ${name} for the end-to-end suites`
          : `go cannot be started: ${error.message}`,
      );
    });
    go.once('exit', (code, signal) => {
      resolve(code === 0 ? undefined : `go build of ${name} ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

function linkerFlags(component: GoComponent): string {
  const { directory, moduleFile, version } = component;
  if (version === undefined) return '-s -w';
  const lines = readFileSync(join(directory, moduleFile), 'utf8').split('\n');
  const required = lines.map((line) => line.trim().split(' ')).find(([path]) => path === version.module)?.[1];
  if (required === undefined) throw new Error(`${moduleFile} of ${component.name} has no ${version.module}`);
  return `-s -w -X ${version.variable}=${required}`;
}

function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'portcullis', 'e2e');
}

function inputsDigest({ directory, moduleFile, sources }: GoComponent): string {
  const hash = createHash('sha256');
  for (const name of [moduleFile, moduleFile.replace(/\.mod$/, '.sum'), ...sources]) {
    hash.update(readFileSync(join(directory, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
