import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { constants, homedir, setPriority } from 'node:os';
import { basename, dirname, join } from 'node:path';

const MODULE = join(import.meta.dirname, '..', 'kube-apiserver');
const INPUTS = ['go.mod', 'go.sum', 'main.go'];

export interface KubernetesBinaries {
  /** Outside the checkout, one folder per version of the inputs. */
  readonly directory: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
}

/** Where the binaries are, or will be once `buildKubeApiserver` ran. */
export function kubernetesBinaries(): KubernetesBinaries {
  const directory = join(cacheRoot(), `kubernetes-${process.platform}-${process.arch}-${inputsDigest()}`);
  return { directory, kubeApiserver: join(directory, 'kube-apiserver'), kubectl: join(directory, 'kubectl') };
}

export function isKubernetesBuilt(): boolean {
  const { kubeApiserver, kubectl } = kubernetesBinaries();
  return existsSync(kubeApiserver) && existsSync(kubectl);
}

/** Whether a missing component must fail the run instead of skipping suites. */
export function endToEndRequired(): boolean {
  return process.env['PORTCULLIS_E2E'] === 'required';
}

/**
 * Builds kube-apiserver (with etcd inside) and kubectl into the cache, unless they are there: about five minutes and 3 GB
 * of Go's own caches the first time, under a minute when those are warm. Complete or absent: the folder is renamed into
 * place. Returns `undefined` on success, else one line that says what is missing.
 */
export async function buildKubeApiserver(): Promise<string | undefined> {
  if (isKubernetesBuilt()) return undefined;
  const { directory } = kubernetesBinaries();
  await mkdir(dirname(directory), { recursive: true });
  const building = await mkdtemp(join(dirname(directory), `.building-${basename(directory)}-`));
  try {
    const failure = await goBuild(building);
    if (failure !== undefined) return failure;
    // Somebody else may have been faster; then theirs is as good.
    await rename(building, directory).catch((error: unknown) => {
      if (!isKubernetesBuilt()) throw error;
    });
    return undefined;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function goBuild(target: string): Promise<string | undefined> {
  const version = kubernetesVersion();
  const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly'];
  args.push('-ldflags', `-s -w -X k8s.io/component-base/version.gitVersion=${version}`);
  args.push('-o', `${target}/`, '.', 'k8s.io/kubernetes/cmd/kubectl');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
  return new Promise((resolve) => {
    // All output goes to standard error: the caller's standard output is for test results.
    const go = spawn('go', args, { cwd: MODULE, env, stdio: ['ignore', process.stderr, process.stderr] });
    go.once('spawn', () => {
      if (go.pid !== undefined) setPriority(go.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    });
    go.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'ENOENT'
          ? 'go is not on the path: install Go 1.26 or later to build kube-apiserver for the end-to-end suites'
          : `go cannot be started: ${error.message}`,
      );
    });
    go.once('exit', (code, signal) => {
      resolve(
        code === 0 ? undefined : `go build of kube-apiserver ended with ${signal ?? `exit code ${code}`}`,
      );
    });
  });
}

function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'portcullis', 'e2e');
}

function inputsDigest(): string {
  const hash = createHash('sha256');
  for (const name of INPUTS) hash.update(readFileSync(join(MODULE, name)));
  return hash.digest('hex').slice(0, 16);
}

function kubernetesVersion(): string {
  const version = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.[1];
  if (version === undefined) throw new Error('e2e/kube-apiserver/go.mod requires no k8s.io/kubernetes');
  return version;
}
