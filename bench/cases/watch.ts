import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judged, mebibytes, type Figure } from '../figure.ts';
import { pinned } from '../support/pinned.ts';
import type { PodsWatched } from '../support/watch-pods.ts';
import type { Workbench } from '../support/workbench.ts';

const PODS = 50_000;
const LIMIT = 300 * 1024 ** 2;
const WATCH_PODS = join(import.meta.dirname, '../support/watch-pods.ts');

/** What a large cluster costs whoever watches all of it: a process that keeps labels, node and images of every pod. */
export async function watch(bench: Workbench): Promise<Figure[]> {
  const server = await bench.peer('pod-list-server', [String(PODS)]);
  const figures: Figure[] = [];
  for (const initial of ['watch-list', 'list'] as const) {
    const { pods, resident, peak, processor } = await watchPods(server.port, bench.caFile, initial);
    if (pods !== PODS) throw new Error(`${pods} of ${PODS} pods are known`);
    const detail = `peak ${mebibytes(peak)}; in sync after ${processor.toFixed(1)} s of processor time`;
    figures.push(
      judged(
        `resident memory with ${PODS} pods watched, got by ${initial === 'list' ? 'list' : 'watch'}`,
        {
          value: Math.max(resident, peak),
          show: mebibytes,
          detail: `${detail}; ${mebibytes(resident)} at rest`,
        },
        { below: LIMIT },
      ),
    );
  }
  await bench.tidy();
  return figures;
}

async function watchPods(port: number, caFile: string, initial: string): Promise<PodsWatched> {
  const [command = '', ...args] = pinned('load');
  const watcher = [...args, WATCH_PODS, `https://127.0.0.1:${port}`, caFile, initial];
  const { stdout } = await promisify(execFile)(command, watcher);
  return JSON.parse(stdout) as PodsWatched;
}
