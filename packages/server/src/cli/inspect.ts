import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { ENGINES } from '../app/engine-table.ts';
import type { Engine } from '../engines/engine.ts';
import { isFault } from '../kernel/fault.ts';
import { attempt } from '../kernel/result.ts';
import { decodeModule } from '../wasm/decode/decode-module.ts';
import type { FunctionType, ModuleInfo } from '../wasm/module-info.ts';
import { EXIT, type CommandIo } from './command-io.ts';

interface InspectOptions {
  readonly output: 'text' | 'json';
}

export function createInspectCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('inspect')
    .summary('show what a Wasm module is and needs')
    .description(
      'Shows engine, digest, size, memory, imports and exports of a Wasm module, without running it.',
    )
    .argument('<module>', 'path of a .wasm file')
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', '\nExample:\n  portcullis inspect policies/image-registry/image-registry.wasm\n')
    .action(async (path: string, options: InspectOptions) => finish(await inspect(path, options, io)));
}

async function inspect(path: string, options: InspectOptions, io: CommandIo): Promise<number> {
  const bytes = await attempt('PC_INPUT', `cannot read \`${path}\``, () => readFile(path));
  const module = isFault(bytes) ? bytes : decodeModule(bytes);
  if (isFault(module)) {
    io.err(`${module.code}: ${module.message}\n  ${module.advice}\n`);
    return EXIT.badInput;
  }
  const { info } = module;
  const engine = ENGINES.values().find((candidate) => candidate.detect(info));
  if (options.output === 'json') {
    const dialect = { engine: engine?.name ?? null, answers: engine?.describe?.(info) };
    io.out(`${JSON.stringify({ ...dialect, ...info }, undefined, 2)}\n`);
  } else io.out(asText(path, info, engine));
  return EXIT.ok;
}

function asText(path: string, info: ModuleInfo, engine: Engine | undefined): string {
  const { memory } = info;
  const pages = (count: number): string => `${count * 64} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['module', path],
    ['engine', engine?.name ?? 'none recognised; name one in `spec.engine`'],
    ...(engine?.describe === undefined ? [] : [['answers', engine.describe(info)] as const]),
    ['sha256', info.digest],
    ['size', `${info.byteLength} bytes, ${info.functions} functions`],
    [
      'memory',
      memory === undefined
        ? 'none'
        : `${pages(memory.initialPages)} at the start, at most ${memory.maximumPages === undefined ? 'what `limits.memory` allows' : pages(memory.maximumPages)}`,
    ],
    ['features', info.features.join(', ') || 'first version of WebAssembly only'],
    ['start', info.hasStart ? 'has a start function' : 'no start function'],
    ...info.imports.map(
      (item) => ['import', `${item.module}.${item.name} ${signature(item.kind, item.type)}`] as const,
    ),
    ...info.exports.map((item) => ['export', `${item.name} ${signature(item.kind, item.type)}`] as const),
    ...info.customSections.map((item) => ['section', `${item.name} (${item.byteLength} bytes)`] as const),
  ];
  return `${rows.map(([key, value]) => `${key.padEnd(9)} ${value}`).join('\n')}\n`;
}

function signature(kind: string, type: FunctionType | undefined): string {
  return type === undefined ? kind : `(${type.params.join(', ')}) -> ${type.results.join(', ') || '()'}`;
}
