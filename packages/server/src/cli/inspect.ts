import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { isFault, type Fault } from '../kernel/fault.ts';
import { attempt } from '../kernel/result.ts';
import type { FunctionType, ModuleInfo } from '../wasm/module-info.ts';
import { EXIT, type CommandIo } from './command-io.ts';
import { examineModule, type Examination } from './inspect/examine-module.ts';

interface InspectOptions {
  readonly output: 'text' | 'json';
}

export function createInspectCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('inspect')
    .summary('show what a Wasm module is and needs')
    .description(
      'Shows the dialect of a Wasm module, what it says of itself, needs, imports and exports, and why it would be refused.\n' +
        'It is compiled and started in the sandbox, as for a policy, and judges nothing.',
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
  const found = isFault(bytes) ? bytes : await examineModule(path, bytes);
  if (isFault(found)) {
    io.err(`${found.code}: ${found.message}\n  ${found.advice}\n`);
    return EXIT.badInput;
  }
  io.out(options.output === 'json' ? asJson(found) : asText(path, found));
  return EXIT.ok;
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

function asJson({ info, engine, answers, traits, refused, demands }: Examination): string {
  const told = (fault: Fault | undefined): object | undefined =>
    fault && { code: fault.code, message: fault.message };
  const details = Object.fromEntries(traits.map(({ name, value }) => [name, value]));
  const dialect = { engine: engine ?? null, answers, needs: needsOf(info), ...details };
  const outcome = { refused: told(refused), demands: told(demands) };
  return `${JSON.stringify({ ...dialect, ...outcome, ...info }, undefined, 2)}\n`;
}

type Row = readonly [name: string, text: string];

function asText(path: string, found: Examination): string {
  const { info, engine, answers, traits } = found;
  const rows: readonly Row[] = [
    ['module', path],
    ['engine', engine ?? 'none recognised; name one in `spec.engine`'],
    ...outcomeRows(found),
    ...(answers === undefined ? [] : [['answers', answers] as const]),
    ...traits.flatMap(({ name, lines }) => lines.map((line): Row => [LABELS[name] ?? name, line])),
    ['needs', needsOf(info).join(', ') || 'nothing'],
    ...bodyRows(info),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${rows.map(([name, text]) => `${name.padEnd(width)} ${text}`).join('\n')}\n`;
}

/** Of those that have a line for each. */
const LABELS: Readonly<Record<string, string>> = {
  entrypoints: 'entry',
  builtins: 'builtin',
  inputs: 'input',
};

function outcomeRows({ refused, demands }: Examination): readonly Row[] {
  if (refused !== undefined) return [['refused', `${refused.code}: ${refused.message}`]];
  if (demands === undefined) return [];
  return [
    [
      'demands',
      `with settings and limits that are left out it is refused: ${demands.code}: ${demands.message}`,
    ],
  ];
}

function bodyRows(info: ModuleInfo): readonly Row[] {
  return [
    ['sha256', info.digest],
    ['size', `${info.byteLength} bytes, ${info.functions} functions`],
    ['memory', memoryText(info)],
    ['features', info.features.join(', ') || 'first version of WebAssembly only'],
    ['start', info.hasStart ? 'has a start function' : 'no start function'],
    ...info.imports.map((item): Row => [
      'import',
      `${item.module}.${item.name} ${signature(item.kind, item.type)}`,
    ]),
    ...info.exports.map((item): Row => ['export', `${item.name} ${signature(item.kind, item.type)}`]),
    ...info.customSections.map((item): Row => ['section', `${item.name} (${item.byteLength} bytes)`]),
  ];
}

function memoryText({ memory }: ModuleInfo): string {
  if (memory === undefined) return 'none';
  const pages = (count: number): string => `${count * 64} KiB`;
  const most = memory.maximumPages === undefined ? 'what `limits.memory` allows' : pages(memory.maximumPages);
  return `${pages(memory.initialPages)} at the start, at most ${most}`;
}

function signature(kind: string, type: FunctionType | undefined): string {
  return type === undefined ? kind : `(${type.params.join(', ')}) -> ${type.results.join(', ') || '()'}`;
}
