import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClusterStage, noClusterStage, type ClusterStage } from '../support/cluster-stage.ts';
import { helmBinary, kubectlBinary } from '../support/components.ts';
import type { DeploymentPlayer } from '../support/deployment-player.ts';
import { missingOutput, parseGuide, type Guide, type GuideStep } from '../support/guide.ts';
import { listEverything } from '../support/list-everything.ts';
import { runCommand, type CommandResult } from '../support/run-command.ts';
import { waitUntil } from '../support/wait-until.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
/** A dry run changes nothing, and an API server needs a moment to hear of its webhooks: these are repeated until they are right. */
const REPEATABLE = /^kubectl run .*--dry-run=server$/;
/** The part for which the page wants an empty cluster again. */
const BY_HAND = 'Without Helm';

const guide = parseGuide(await readFile(join(CHECKOUT, 'docs', 'install.md'), 'utf8'));

/**
 * docs/install.md, line by line. Nothing is put in the place of what it says; only the image is not fetched: pods are the
 * sources of this checkout, started as the Deployment says.
 */
describe('the guide for operators', { skip: noClusterStage() }, () => {
  suite('with Helm', (step) => step.heading !== BY_HAND, ['Namespace /shop']);
  suite('without Helm', (step) => step.heading === BY_HAND, ['Namespace /shop']);
});

function suite(name: string, isMine: (step: GuideStep) => boolean, left: readonly string[]): void {
  void describe(name, () => {
    let stage: ClusterStage;
    let player: DeploymentPlayer;
    let shell: Shell;
    let empty: readonly string[];
    let previous: Promise<unknown> = Promise.resolve();

    before(async () => {
      stage = await createClusterStage('guide');
      empty = await listEverything(stage.kube);
      player = stage.play('portcullis', 'portcullis');
      shell = await openShell(stage, guide);
    });

    after(async () => {
      await stage?.close();
    });

    for (const step of guide.steps.filter(isMine)) {
      test(`${step.line}: ${step.command}`, async () => {
        await previous;
        previous = Promise.reject(new Error('an earlier command failed'));
        previous.catch(() => undefined);
        if (REPEATABLE.test(step.command)) {
          await waitUntil(async () => check(step, await shell(step.command)) === undefined, {
            what: step.command,
            every: 200,
          });
        } else check(step, await shell(step.command));
        previous = Promise.resolve();
      });
    }

    test('the cluster is as empty as before, but for what the page does not speak of', async () => {
      await previous;
      await waitUntil(() => player.pods().length === 0, { what: 'the pods to end', within: 60_000 });
      ok(player.exits().every(({ code }) => code === 0));
      await waitUntil(
        async () => {
          const found = await listEverything(stage.kube);
          // Nobody is there who would delete what a Namespace holds, or the Namespace.
          const others = found.filter(
            (line) => !empty.includes(line) && !/ portcullis\/|\/portcullis$/.test(line),
          );
          return deepEqual(others, left) === undefined;
        },
        { what: 'the cluster to be clean' },
      );
    });
  });
}

function check(step: GuideStep, { code, stdout, stderr }: CommandResult): void {
  const printed = `${stdout}\n${stderr}`;
  equal(code !== 0, step.refused, printed);
  deepEqual(missingOutput(step, printed), [], printed);
}

type Shell = (command: string) => Promise<CommandResult>;

/** A folder as after a clone, in which commands find kubectl, Helm and the cluster, and nothing of who runs the tests. */
async function openShell({ directory, kube }: ClusterStage, { files }: Guide): Promise<Shell> {
  const folder = join(directory, 'checkout');
  await mkdir(folder);
  for (const name of ['deploy', 'policies']) await symlink(join(CHECKOUT, name), join(folder, name));
  for (const [name, text] of files) await writeFile(join(folder, name), text);
  const env = {
    PATH: [dirname(kubectlBinary()), dirname(helmBinary()), process.env['PATH']].join(':'),
    HOME: folder,
    KUBECONFIG: kube.kubeconfigPath,
    KUBERC: 'off',
  };
  const script = 'cd "$1" && eval "$2"';
  return (command) =>
    runCommand('/bin/sh', ['-ec', script, 'sh', folder, command], { env, timeout: 300_000 });
}
