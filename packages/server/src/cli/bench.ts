import { performance } from 'node:perf_hooks';
import { Command } from 'commander';
import type { DecisionRecord } from '@portcullis/contract';
import { isFault } from '../kernel/fault.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { createCommandLog } from './offline/command-log.ts';
import { createOfflineServer, type OfflineServer } from './offline/offline-server.ts';
import { openPolicyFiles, ownNamespaceOption } from './offline/policy-files.ts';
import { readInputs, type ReviewInput } from './offline/read-inputs.ts';

interface BenchOptions {
  readonly file: readonly string[];
  readonly seconds: string;
  readonly ownNamespace: string;
}

export function createBenchCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('bench')
    .summary('time policies on given reviews')
    .description(
      'Times policies on given manifests or reviews: milliseconds per evaluation, evaluations per second, fuel and memory.\n' +
        'One evaluation at a time on one thread; sandbox, metering and reset are on, HTTP is not part of it.',
    )
    .argument('<policy...>', 'policy files or folders')
    .requiredOption('-f, --file <path...>', 'manifests or reviews to judge, in turn')
    .option('-s, --seconds <number>', 'how long to measure', '3')
    .addOption(ownNamespaceOption())
    .addHelpText('after', '\nExample:\n  portcullis bench policies/image-registry -f pod.yaml\n')
    .action(async (paths: string[], options: BenchOptions) => finish(await bench(paths, options, io)));
}

async function bench(paths: readonly string[], options: BenchOptions, io: CommandIo): Promise<number> {
  const seconds = Number(options.seconds);
  if (!(seconds > 0 && seconds <= 3600)) {
    io.err('error: --seconds must be a number above 0 and at most 3600\n');
    return EXIT.badInput;
  }
  const samples = new Map<string, Sample[]>();
  const server = await createOfflineServer({
    ...(await openPolicyFiles(paths, { namespace: options.ownNamespace })),
    log: createCommandLog(io, false),
    onDecision: (record) => collect(record, samples),
  });
  try {
    const inputs = (await Promise.all(options.file.map((path) => readInputs(path, {})))).flat();
    for (const fault of [
      ...server.report.problems.map((problem) => problem.fault),
      ...inputs.filter(isFault),
    ]) {
      io.err(`${fault.code}: ${fault.message}\n`);
      return EXIT.badInput;
    }
    const reviews = inputs as readonly ReviewInput[];
    await repeat(server, reviews, 0.3 * seconds);
    samples.clear();
    const counted = await repeat(server, reviews, seconds);
    if (samples.size === 0) {
      io.err('no policy concerns the given reviews\n');
      return EXIT.badInput;
    }
    io.out(table(samples, counted));
    return EXIT.ok;
  } finally {
    server.close();
  }
}

interface Sample {
  readonly ms: number;
  readonly fuel: number;
  readonly memory: number;
  readonly outcome: string;
}

function collect(record: DecisionRecord, samples: Map<string, Sample[]>): void {
  for (const { policy, durationMs, fuel, memoryBytes, outcome } of record.contributions) {
    const list = samples.get(policy) ?? [];
    list.push({ ms: durationMs, fuel, memory: memoryBytes, outcome });
    samples.set(policy, list);
  }
}

interface Counted {
  readonly reviews: number;
  readonly seconds: number;
}

async function repeat(
  server: OfflineServer,
  inputs: readonly ReviewInput[],
  seconds: number,
): Promise<Counted> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let reviews = 0;
  while (performance.now() < end) {
    for (const input of inputs) await server.judge(input);
    reviews += inputs.length;
    // Resetting guests happens in a later turn, as in the server.
    if (reviews % 16 === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  return { reviews, seconds: (performance.now() - start) / 1000 };
}

function table(samples: ReadonlyMap<string, readonly Sample[]>, counted: Counted): string {
  const header = ['policy', 'p50 ms', 'p99 ms', 'per second', 'fuel', 'memory KiB', 'outcomes'];
  const rows = samples.entries().map(([policy, list]) => {
    const times = list.map(({ ms }) => ms).sort((a, b) => a - b);
    const total = times.reduce((sum, ms) => sum + ms, 0);
    return [
      policy,
      at(times, 0.5).toFixed(3),
      at(times, 0.99).toFixed(3),
      Math.round((list.length / total) * 1000).toString(),
      Math.max(...list.map(({ fuel }) => fuel).slice(0, 10_000)).toString(),
      (Math.max(...list.map(({ memory }) => memory).slice(0, 10_000)) / 1024).toFixed(0),
      [...new Set(list.map(({ outcome }) => outcome))].join(', '),
    ];
  });
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n${Math.round(counted.reviews / counted.seconds)} reviews per second, all policies together\n`;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
