import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ChildProcess } from './child-process.ts';
import { startContainer, type ContainerOptions } from './container.ts';
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
  /** Programs of the host that are not there themselves, but the libraries that they are linked with, without some. */
  readonly librariesOf?: readonly string[];
  readonly except?: RegExp;
  /** Variables that `RUN` sees. */
  readonly env?: Readonly<Record<string, string>>;
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

/** As for a container, but of a named image. */
export type RunOptions = Omit<ContainerOptions, 'root' | 'config'> & { readonly image: string };

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
      const variables = Object.entries(contents.env ?? {}).map((entry) => `--env=${entry.join('=')}`);
      await output('config', ...variables, container);
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
    run: async (options) =>
      startContainer({
        ...options,
        root: await mount(options.image),
        config: await config(options.image),
      }),
    remove: async () => {
      await run(['rm', '--all']);
      await run(['rmi', '--all', '--force']);
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function fill(root: string, contents: StandIn): Promise<void> {
  const { programs = {}, links = {}, folders = [], librariesOf = [], except } = contents;
  for (const folder of ['/tmp', '/proc', '/etc', ...folders])
    await mkdir(join(root, folder), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
  for (const [path, program] of Object.entries(programs)) await copyInto(root, path, program);
  for (const program of [...Object.values(programs), ...librariesOf]) {
    for (const library of await librariesUsedBy(program)) {
      if (except?.test(library) !== true) await copyInto(root, library, library);
    }
  }
}

async function librariesUsedBy(program: string): Promise<readonly string[]> {
  const { stdout } = await runCommand('ldd', [program]);
  return stdout.match(/(?<==> |^\t)\/\S+/gm) ?? [];
}

async function copyInto(root: string, path: string, source: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await copyFile(await realpath(source), join(root, path));
}
