import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { ENGINES } from '../app/engine-table.ts';
import type { Engine } from '../engines/engine.ts';
import { unknownDialect } from '../engines/unknown-dialect.ts';
import { isFault, type Fault } from '../kernel/fault.ts';
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
      'Shows engine, digest, size, memory, needs, imports and exports of a Wasm module, and why it would be refused, without running it.',
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
  const found = await examine(info, bytes as Uint8Array);
  if (options.output === 'json') {
    const { engine, needs, refused } = found;
    const dialect = { engine: engine?.name ?? null, answers: engine?.describe?.(info), needs };
    const refusal = refused && { code: refused.code, message: refused.message };
    io.out(`${JSON.stringify({ ...dialect, refused: refusal, ...info }, undefined, 2)}\n`);
  } else io.out(asText(path, info, found));
  return EXIT.ok;
}

interface Found {
  readonly engine: Engine | undefined;
  readonly needs: readonly string[];
  /** Why no policy could use it. */
  readonly refused: Fault | undefined;
}

async function examine(info: ModuleInfo, bytes: Uint8Array): Promise<Found> {
  const engine = ENGINES.values().find((candidate) => candidate.detect(info, bytes));
  const needs = needsOf(info);
  if (engine === undefined) return { engine, needs, refused: unknownDialect(info, ENGINES.values()) };
  const compiled = await engine.compile(bytes);
  return { engine, needs, refused: isFault(compiled) ? compiled : undefined };
}

/** What a module asks of its host, by the names of its imports. */
const NEEDS: readonly (readonly [need: string, imports: RegExp])[] = [
  ['clocks', /^(clock_|poll_oneoff$)/],
  ['random numbers', /^random_get$/],
  ['standard input', /^fd_read$/],
  ['files, of which there are none', /^(path_|fd_readdir$)/],
  ['sockets, of which there are none', /^sock_/],
  ['host calls, each as `spec.capabilities` grants it', /^(__host_call|call)$/],
  ['builtins of its host', /^opa_builtin/],
];

function needsOf({ imports }: ModuleInfo): readonly string[] {
  return NEEDS.filter(([, pattern]) => imports.some(({ name }) => pattern.test(name))).map(([need]) => need);
}

function asText(path: string, info: ModuleInfo, { engine, needs, refused }: Found): string {
  const { memory } = info;
  const pages = (count: number): string => `${count * 64} KiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['module', path],
    ['engine', engine?.name ?? 'none recognised; name one in `spec.engine`'],
    ...(refused === undefined ? [] : [['refused', `${refused.code}: ${refused.message}`] as const]),
    ...(engine?.describe === undefined ? [] : [['answers', engine.describe(info)] as const]),
    ['needs', needs.join(', ') || 'nothing'],
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
