import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess, Exit } from './child-process.ts';
import { startContainer, type Volume } from './container.ts';
import type { Container, PodTemplate, Probe } from './deployment.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { at } from './kubernetes-objects.ts';
import type { PodAddress, PodNetwork } from './pod-network.ts';
import { makeScratch, writeVolume, type Ownership, type VolumeFiles } from './pod-volumes.ts';
import { requestToken } from './service-account.ts';
import type { PodImage } from './source-image.ts';

const ACCOUNT_MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface PodOptions {
  readonly kube: KubeApiserver;
  readonly network: PodNetwork;
  readonly image: PodImage;
  /** For its volumes and its log. */
  readonly directory: string;
  readonly namespace: string;
  readonly name: string;
  readonly template: PodTemplate;
}

/** A process that stands for a pod of one container: what a kubelet gives it is what the template says. */
export interface Pod {
  readonly name: string;
  readonly ip: string;
  /** As the readiness probe of the template sees it; false from `stop` on. */
  isReady(): boolean;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  logs(): string;
  /** Writes ConfigMaps and Secrets as they are now. */
  refreshVolumes(): Promise<void>;
  /** SIGTERM, and SIGKILL when the template's grace period is over. */
  stop(): Promise<Exit>;
  /** SIGKILL. */
  kill(): Promise<Exit>;
}

export async function startPod(options: PodOptions): Promise<Pod> {
  const { kube, network, image, name, template } = options;
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error('the template has no container');
  const address = await network.addPod();
  const volumes = await writeVolumes(options, container);
  const { runAsUser, runAsGroup } = template.spec.securityContext;
  const child = await startContainer({
    root: image.root,
    config: { ...Object(image.config), User: `${runAsUser}:${runAsGroup}` },
    args: container.args,
    env: { KUBERNETES_SERVICE_HOST: network.serviceHost, KUBERNETES_SERVICE_PORT: String(kube.port) },
    volumes: [...image.volumes, ...volumes],
    network: address.network,
    hostname: name,
    logFile: join(options.directory, `${name}.log`),
  });
  let ready = false;
  let stopping: Promise<Exit> | undefined;
  const end = async (graceMs: number): Promise<Exit> => {
    const exit = child.exit() ?? (graceMs > 0 ? await child.stop(graceMs) : await child.kill());
    await network.removePod(address);
    return exit;
  };
  void probeUntilEnd(child, address, container, (now) => {
    ready = now;
  });
  return {
    name,
    ip: address.ip,
    isReady: () => ready && stopping === undefined && child.exit() === undefined,
    exit: child.exit,
    logs: child.logs,
    refreshVolumes: async () => void (await writeVolumes(options, container)),
    stop: () => (stopping ??= end(template.spec.terminationGracePeriodSeconds * 1000)),
    kill: () => (stopping = end(0)),
  };
}

async function probeUntilEnd(
  child: ChildProcess,
  { ip }: PodAddress,
  container: Container,
  report: (ready: boolean) => void,
): Promise<void> {
  const { periodSeconds, failureThreshold } = container.readinessProbe;
  let failures = 0;
  while (child.exit() === undefined) {
    failures = (await passes(ip, container, container.readinessProbe)) ? 0 : failures + 1;
    if (failures === 0) report(true);
    else if (failures >= failureThreshold) report(false);
    await sleep(periodSeconds * 1000, undefined, { ref: false });
  }
}

/** As a kubelet asks: certificates are not verified. */
function passes(host: string, { ports }: Container, { httpGet, timeoutSeconds }: Probe): Promise<boolean> {
  const port = ports.find(({ name }) => name === httpGet.port)?.containerPort;
  return new Promise((resolve) => {
    const outgoing = request({
      host,
      port,
      path: httpGet.path,
      rejectUnauthorized: false,
      agent: false,
      timeout: timeoutSeconds * 1000,
    });
    outgoing
      .once('response', ({ statusCode = 0 }) => {
        outgoing.destroy();
        resolve(statusCode >= 200 && statusCode < 400);
      })
      .once('timeout', () => outgoing.destroy())
      .on('error', () => resolve(false))
      .once('close', () => resolve(false))
      .end();
  });
}

async function writeVolumes(options: PodOptions, container: Container): Promise<Volume[]> {
  const { kube, directory, namespace, name, template } = options;
  const { runAsUser, fsGroup } = template.spec.securityContext;
  const inPod = (part: string): string => join(directory, name, part);
  const account = template.spec.serviceAccountName;
  await writeVolume(
    inPod('account'),
    {
      token: Buffer.from(await requestToken({ kube, namespace, name: account })),
      'ca.crt': Buffer.from(kube.caPem),
      namespace: Buffer.from(namespace),
    },
    { user: runAsUser, group: fsGroup, mode: 0o600 },
  );
  const mounts: Volume[] = [{ host: inPod('account'), path: ACCOUNT_MOUNT }];
  for (const { name: volumeName, configMap, secret } of template.spec.volumes) {
    const host = inPod(volumeName);
    const { defaultMode = 0o644 } = configMap ?? secret ?? {};
    const owner: Ownership = { user: 0, group: fsGroup, mode: defaultMode };
    if (configMap !== undefined)
      await writeVolume(host, await filesOf(options, 'configmaps', configMap.name), owner);
    else if (secret !== undefined)
      await writeVolume(host, await filesOf(options, 'secrets', secret.secretName), owner);
    else await makeScratch(host, fsGroup);
    for (const { mountPath, readOnly, name: mounted } of container.volumeMounts) {
      if (mounted === volumeName) mounts.push({ host, path: mountPath, writable: readOnly !== true });
    }
  }
  return mounts;
}

async function filesOf({ kube, namespace }: PodOptions, plural: string, name: string): Promise<VolumeFiles> {
  const { status, body } = await kube.request('GET', `/api/v1/namespaces/${namespace}/${plural}/${name}`);
  if (status !== 200) throw new Error(`${plural} ${name} is not there: the pod would wait for it`);
  const encoding = plural === 'secrets' ? 'base64' : 'utf8';
  const entries = Object.entries(Object(at(body, 'data'))).map(([key, text]): [string, Uint8Array] => [
    key,
    Buffer.from(String(text), encoding),
  ]);
  return Object.fromEntries(entries);
}
