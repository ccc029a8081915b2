import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startChildProcess, type ChildProcess } from './child-process.ts';
import { runCommand, type CommandResult } from './run-command.ts';
import { at } from './kubernetes-objects.ts';

export interface Buildah {
  /**
   * Makes an image under the name of a base image, which nothing here can fetch: programs of the
   * host with the libraries that they are linked with, links, and folders.
   */
  standIn(name: string, contents: StandIn): Promise<void>;
  /** Builds a container file with the stand-ins as bases. A failure is a result. */
  build(options: BuildOptions): Promise<CommandResult>;
  /** The configuration of an image in the form of OCI: `User`, `Entrypoint`, `Env`, … */
  config(image: string): Promise<unknown>;
  /** The folder that is the image's root file system; only for reading. */
  mount(image: string): Promise<string>;
  /** Starts an image as a pod with a read-only root would: its user, folder, variables and entry point. */
  run(options: RunOptions): Promise<ChildProcess>;
  /** Frees everything. */
  remove(): Promise<void>;
}

export interface StandIn {
  /** Path of a program in the image, to the one of the host. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Path of a link in the image, to its target. */
  readonly links?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
}

export interface BuildOptions {
  readonly image: string;
  readonly containerfile: string;
  readonly context: string;
  /** Values of `ARG`. */
  readonly args?: Readonly<Record<string, string>>;
  /** Folders of the host that `RUN` sees read-only at the same path, such as `/usr`. */
  readonly hostFolders?: readonly string[];
}

export interface RunOptions {
  readonly image: string;
  /** After the entry point, in place of `Cmd`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Host folders at paths of the image; read-only unless said otherwise. */
  readonly volumes?: readonly {
    readonly host: string;
    readonly path: string;
    readonly writable?: boolean;
  }[];
  readonly logFile: string;
}

/** Whether images can be built and run here: buildah, and the rights of an administrator. */
export function isBuildahAvailable(): boolean {
  return process.getuid?.() === 0 && spawnSync('buildah', ['--version']).status === 0;
}

/** Image building without a daemon: `RUN` is a chroot, so it works where containers do not. All state lies in `directory`. */
export async function createBuildah(directory: string): Promise<Buildah> {
  const root = join(directory, 'buildah');
  const storage = join(root, 'storage.conf');
  const env = { CONTAINERS_STORAGE_CONF: storage, BUILDAH_ISOLATION: 'chroot' };
  await mkdir(root, { recursive: true });
  const folders = `runroot = "${join(root, 'run')}"\ngraphroot = "${join(root, 'graph')}"\n`;
  await writeFile(storage, `[storage]\ndriver = "overlay"\n${folders}`);

  const run = (args: readonly string[]): Promise<CommandResult> =>
    runCommand('buildah', args, { env, timeout: 600_000 });
  async function output(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(args);
    if (code !== 0) throw new Error(`buildah ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }
  async function config(image: string): Promise<unknown> {
    const inspected: unknown = JSON.parse(await output('inspect', '--type', 'image', image));
    return at(inspected, 'OCIv1', 'config');
  }
  async function mount(image: string): Promise<string> {
    return output('mount', await output('from', '--pull-never', image));
  }
  return {
    standIn: async (name, contents) => {
      const container = await output('from', 'scratch');
      await fill(await output('mount', container), contents);
      await output('commit', '--rm', container, name);
    },
    build: ({ image, containerfile, context, args = {}, hostFolders = [] }) =>
      run([
        'build',
        '--pull-never',
        `--tag=${image}`,
        `--file=${containerfile}`,
        ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
        ...hostFolders.map((path) => `--volume=${path}:${path}:ro`),
        context,
      ]),
    config,
    mount,
    run: async (options) => startImage(await mount(options.image), await config(options.image), options),
    remove: async () => {
      await run(['rm', '--all']);
      await run(['rmi', '--all', '--force']);
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function fill(root: string, { programs = {}, links = {}, folders = [] }: StandIn): Promise<void> {
  for (const folder of ['/tmp', '/proc', '/etc', ...folders])
    await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
  for (const [path, program] of Object.entries(programs)) {
    await copyInto(root, path, program);
    const { stdout } = await runCommand('ldd', [program]);
    for (const library of stdout.match(/(?<==> |^\t)\/\S+/gm) ?? []) await copyInto(root, library, library);
  }
}

async function copyInto(root: string, path: string, source: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await copyFile(await realpath(source), join(root, path));
}

// Not a container runtime, but what the guest can tell of one: file system, user, no way to more rights. It keeps the host's
// network, where the API server of the tests is, and its process number, so that signals reach it.
const ENTER = `
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 user=$2 group=$3 folder=$4; shift 4
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mkdir -p "$root$2"; mount --bind "$1" "$root$2"; mount -o "remount,bind,$3" "$root$2"; shift 3
done; shift
mkdir -p "$root/proc" "$root/tmp"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec setpriv --no-new-privs \
  /usr/bin/unshare --root="$root" --wd="$folder" --setgid="$group" --setuid="$user" "$@"
`;

async function startImage(root: string, config: unknown, options: RunOptions): Promise<ChildProcess> {
  const [user, group] = /^(\d+):(\d+)$/.exec(String(at(config, 'User')))?.slice(1) ?? [];
  if (user === undefined || group === undefined) {
    throw new Error(
      `the user of the image is \`${String(at(config, 'User'))}\`: Kubernetes checks numbers only`,
    );
  }
  const volumes = (options.volumes ?? []).flatMap(({ host, path, writable }) => {
    return [host, path, writable === true ? 'rw' : 'ro'];
  });
  const program = [...strings(at(config, 'Entrypoint')), ...(options.args ?? strings(at(config, 'Cmd')))];
  const folder = at(config, 'WorkingDir') ?? '/';
  if (typeof folder !== 'string') throw new Error('the image has no working folder');
  const none = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
  return startChildProcess({
    command: '/usr/bin/unshare',
    args: ['--mount', '/bin/sh', '-c', ENTER, 'sh', root, user, group, folder, ...volumes, '--', ...program],
    env: { ...none, ...variablesOf(config), ...options.env },
    logFile: options.logFile,
  });
}

function variablesOf(config: unknown): Record<string, string> {
  return Object.fromEntries(strings(at(config, 'Env')).map((text) => text.split(/=(.*)/s).slice(0, 2)));
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
