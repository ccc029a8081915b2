import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { judged, times, type Figure } from '../figure.ts';

const SCRIPT = join(import.meta.dirname, '../metering.ts');

/** In a process of its own: what V8 has compiled for other benchmarks changes the ratios. Only the policies have a target. */
export function metering(): Promise<Figure[]> {
  const output = execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' });
  const rows = [...output.matchAll(/^\| (\S+\.wasm) \| ([\d.]+) \| ([\d.]+) \| (\d+) \|/gm)];
  const ratios = rows.map(([, , ratio]) => Number(ratio));
  if (ratios.length === 0) throw new Error(`no policy was measured:\n${output}`);
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  return Promise.resolve([
    ...rows.map(([, module = '', ratio, micros, fuel]) =>
      judged(
        `metered against plain: ${module.replace(/^.*\//, '')}`,
        { value: Number(ratio), show: times, detail: `plain ${micros} µs; ${fuel} units of fuel` },
        { atMost: 1.4 },
      ),
    ),
    judged('metered against plain: geometric mean', { value: mean, show: times }, { atMost: 1.3 }),
  ]);
}
