import { ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { describeWithKubernetes } from '../support/describe-with-kubernetes.ts';
import {
  allows,
  CREATE_PODS,
  denies,
  denying,
  IN_TEAM,
  openFaultBench,
  PROBE,
  type FaultBench,
} from '../support/fault-bench.ts';
import { namespace, pod, type KubernetesObject } from '../support/kubernetes-objects.ts';
import { portcullisObject } from '../support/portcullis-objects.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const SHIFTED_CLOCK = join(import.meta.dirname, '..', 'support', 'shifted-clock.ts');

// What can happen to the API server, to the way to it and to the clock, while pods are created all the time.
describeWithKubernetes('faults of the API server', () => {
  let bench: FaultBench;
  let clockFile: string;

  before(async () => {
    clockFile = join(await createWorkDirectory('api-server-faults-extra'), 'clock-shift');
    await writeFile(clockFile, '0');
    const env = { NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`, E2E_CLOCK_SHIFT: clockFile };
    bench = await openFaultBench({ name: 'api-server-faults', env });
  });

  after(() => bench?.stop());

  afterEach(() => bench.check());

  test('a slow and broken way to the API server: nothing is lost', async () => {
    const { proxy } = bench.cluster;
    const random = createSeededRandom(5);
    proxy.setRandom({ seed: 5, meanBytes: 30_000 });
    proxy.inject('cut');
    for (let round = 0; round < 12; round += 1) {
      await bench.cluster.apply(denying('bumpy', { message: `round ${round}`, enabled: random() < 0.8 }));
      proxy.setPace(random() < 0.5 ? { delay: Math.floor(random() * 200) } : {});
      await new Promise((resolve) => void setTimeout(resolve, 500));
    }
    await bench.goesOn();
    await bench.cluster.apply(denying('bumpy', { message: 'the last round', enabled: true }));
    proxy.setRandom(undefined);
    proxy.setPace({});
    // Stalled connections would end by themselves after some minutes without a bookmark.
    proxy.inject('cut');
    await bench.prober.until('the last change to be in force', PROBE, denies('the last round'), 60_000);
    await bench.cluster.remove(denying('bumpy'));
    await bench.prober.until('it to be gone', PROBE, allows, 60_000);
  });

  test('a void token: the last good set stays, and status and metrics say so; a new token ends it', async () => {
    const { proxy } = bench.cluster;
    await bench.cluster.apply(denying('kept'));
    await bench.prober.until('the policy to deny', PROBE, denies('denied by kept'));
    await bench.cluster.account().recreate();
    const isRefused = async (): Promise<boolean> => {
      // The API server does not look again at tokens of connections that stand, and believes for some seconds in what it has seen.
      proxy.inject('cut');
      return /Unauthorized/.test(await bench.complaints());
    };
    await waitUntil(isRefused, { what: 'the replicas to say that they are refused', every: 2000 });
    await bench.cluster.remove(denying('kept'));
    await bench.goesOn();
    ok((await bench.prober.ask(PROBE)).every(denies('denied by kept')));
    const stale = await bench.metrics('portcullis_kubernetes_watch_staleness_seconds', {
      resource: 'policies',
    });
    await bench.goesOn();
    const later = await bench.metrics('portcullis_kubernetes_watch_staleness_seconds', {
      resource: 'policies',
    });
    for (const [index, seconds] of stale.entries()) ok((later[index] ?? 0) > (seconds ?? Infinity));
    await bench.cluster.account().renewToken();
    await bench.prober.until('the removal to be known', PROBE, allows, 90_000);
  });

  test('the clock jumps: exceptions go by it, nothing else does', async () => {
    const shift = (hours: number): Promise<void> => writeFile(clockFile, String(hours * 3_600_000));
    const exception = portcullisObject(
      'PolicyException',
      { name: 'for-an-hour' },
      {
        policies: ['timed'],
        match: { namespaces: IN_TEAM.namespaces },
        expires: `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
        reason: 'a test',
      },
    );
    await bench.cluster.apply(denying('timed'));
    await bench.prober.until('the policy to deny', PROBE, denies('denied by timed'));
    await bench.cluster.apply(exception);
    await bench.prober.until('the exception to hold', PROBE, allows);
    await shift(2);
    await bench.prober.until('the exception to be over', PROBE, denies('denied by timed'));
    await bench.goesOn();
    await shift(-10);
    await bench.prober.until('the exception to hold again', PROBE, allows);
    await bench.cluster.apply(denying('timed-too'));
    await bench.prober.until('a change to come in force', PROBE, denies('denied by timed-too'));
    await bench.goesOn();
    await shift(0);
    for (const object of [denying('timed'), denying('timed-too'), exception])
      await bench.cluster.remove(object);
    await bench.prober.until('all to be gone', PROBE, allows);
  });

  test('the API server dies and comes back', async () => {
    await bench.cluster.apply(denying('through'));
    await bench.prober.until('the policy to deny', PROBE, denies('denied by through'));
    await bench.apiLoad.during(['api-server', 'webhook'], async () => {
      await bench.cluster.kube.kill();
      await waitUntil(async () => (await bench.complaints()) !== '', { what: 'the replicas to notice' });
      await bench.goesOn();
      ok((await bench.prober.ask(PROBE)).every(denies('denied by through')));
      await bench.cluster.kube.restart();
    });
    await bench.cluster.apply(denying('after'));
    await bench.cluster.remove(denying('through'));
    await bench.prober.until('what was changed after it to be known', PROBE, denies('[after]'), 60_000);
    await bench.cluster.remove(denying('after'));
    await bench.prober.until('all to be gone', PROBE, allows);
  });

  test('another API server, empty and with lower versions, takes the place of the first', async () => {
    const labelled = (env: string): KubernetesObject => namespace('labelled', { env });
    const inLabelled = pod({ name: 'probe', namespace: 'labelled' });
    const production = denying('production', {
      match: { ...CREATE_PODS, namespaceSelector: { matchLabels: { env: 'prod' } } },
    });
    await bench.cluster.create(labelled('prod'));
    await bench.cluster.apply(production);
    await bench.cluster.apply(denying('old'));
    await bench.cluster.apply(denying('changed', { message: 'before' }));
    await bench.prober.until('the policies to deny', PROBE, denies('[changed]'));
    await bench.prober.until('the labelled namespace to be known', inLabelled, denies('[production]'));
    await bench.apiLoad.during(['api-server', 'webhook'], async () => {
      await bench.apiLoad.stop();
      await bench.cluster.kube.replace();
    });
    // Nothing of ours is in it, and our token is nobody's.
    await bench.goesOn(200);
    ok((await bench.prober.ask(PROBE)).every(denies('before')));
    await bench.reviewLoad.stop();

    await bench.cluster.furnish();
    await bench.cluster.create(labelled('test'));
    await bench.post();
    await bench.cluster.apply(production);
    await bench.cluster.apply(denying('changed', { message: 'afterwards' }));
    await bench.prober.until('the new policies to be in force', PROBE, denies('afterwards'), 120_000);
    await bench.prober.until('the new labels to count', inLabelled, allows, 60_000);
  });
});
