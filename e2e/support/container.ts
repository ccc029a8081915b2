import { readFileSync } from 'node:fs';
import { startChildProcess, type ChildProcess } from './child-process.ts';
import { at } from './kubernetes-objects.ts';

export interface ContainerOptions {
  /** The folder that becomes the root file system; nothing is written to it. */
  readonly root: string;
  /** Of the image, in the form of OCI: `User`, `Entrypoint`, `Env`, … */
  readonly config: unknown;
  /** After the entry point, in place of `Cmd`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Host folders and files at paths of the image; read-only unless said otherwise. */
  readonly volumes?: readonly Volume[];
  /** Name in the manner of `ip netns`; default: the network of the host. */
  readonly network?: string;
  /** Default: that of the host. */
  readonly hostname?: string;
  readonly logFile: string;
}

export interface Volume {
  readonly host: string;
  readonly path: string;
  readonly writable?: boolean;
}

// Not a container runtime, but what the guest can tell of one: file system, user, process number 1, no way to more rights.
const ENTER = `
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 user=$2 group=$3 folder=$4 host=$5; shift 5
[ -z "$host" ] || echo "$host" > /proc/sys/kernel/hostname
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root\${2%/*}"; [ -e "$root$2" ] || : > "$root$2"; fi
  mount --bind "$1" "$root$2"; mount -o "remount,bind,$3" "$root$2"; shift 3
done; shift
mkdir -p "$root/proc" "$root/tmp"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec setpriv --no-new-privs \
  /usr/bin/unshare --root="$root" --wd="$folder" --setgid="$group" --setuid="$user" "$@"
`;

/** Starts an image as a pod with a read-only root would: its user, folder, variables and entry point, as process number 1. */
export async function startContainer(options: ContainerOptions): Promise<ChildProcess> {
  const { config, network } = options;
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
  const inside = ['/bin/sh', '-c', ENTER, 'sh', options.root, user, group, folder, options.hostname ?? ''];
  const isolated = ['/usr/bin/unshare', '--mount', '--uts', '--pid', '--fork', '--kill-child'];
  const [command = '', ...args] = [
    ...(network === undefined ? [] : ['/usr/sbin/ip', 'netns', 'exec', network]),
    ...isolated,
    ...inside,
    ...volumes,
    '--',
    ...program,
  ];
  return startChildProcess({
    command,
    args,
    env: { ...none, ...variablesOf(config), ...options.env },
    logFile: options.logFile,
    target: firstInside,
  });
}

/** What was started waits outside and takes no signals; its only child is the first process inside. */
function firstInside(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  return child > 0 ? child : pid;
}

function variablesOf(config: unknown): Record<string, string> {
  return Object.fromEntries(strings(at(config, 'Env')).map((text) => text.split(/=(.*)/s).slice(0, 2)));
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
