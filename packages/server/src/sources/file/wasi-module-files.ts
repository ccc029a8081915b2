import { dirname, resolve } from 'node:path';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parseWasiModules, type WasiModules, type WasiModulesGate } from '../../policy/parse-wasi-modules.ts';
import { createFileMemory, type FileAnswer, type FileMemory } from '../file-memory.ts';
import type { DocumentReading } from '../source.ts';
import { decodeText } from './decode-text.ts';

/** A file that lists modules for one gate, as the reference host of this dialect reads it. */
export interface WasiModulesFile {
  readonly file: string;
  readonly gate: WasiModulesGate;
}

export interface WasiModulesReading {
  readonly readings: readonly DocumentReading[];
  /** Those that were read because another one named them. */
  readonly further: readonly string[];
}

/** Reads the files, and those that they name in their place. */
export function createWasiModulesReader(
  wall: (() => number) | undefined,
): (files: readonly WasiModulesFile[]) => Promise<WasiModulesReading> {
  const memories = new Map<string, FileMemory<WasiModules>>();

  function memoryOf(gate: WasiModulesGate, step: 'named' | 'further'): FileMemory<WasiModules> {
    const key = `${gate} ${step}`;
    const memory =
      memories.get(key) ??
      createFileMemory({
        ...(wall === undefined ? {} : { wall }),
        code: 'PC_MODULE_MISSING',
        what: 'cannot read the modules file',
        parse: (file, bytes) => modulesOf(file, bytes, gate),
      });
    memories.set(key, memory);
    return memory;
  }

  return async (files) => {
    const readings: DocumentReading[] = [];
    const further: string[] = [];
    for (const { file, gate } of files) {
      const [first] = await memoryOf(gate, 'named').read([file]);
      const next = first === undefined ? undefined : nextFile(first);
      const [last] = next === undefined ? [first] : await memoryOf(gate, 'further').read([next]);
      if (next !== undefined) further.push(next);
      if (last !== undefined) readings.push(...readingsOf(last));
    }
    return { readings, further };
  };
}

function nextFile({ path, answer }: FileAnswer<WasiModules>): string | undefined {
  if (isFault(answer) || answer.file === undefined) return undefined;
  return resolve(dirname(path), answer.file);
}

function readingsOf({ path: container, answer }: FileAnswer<WasiModules>): readonly DocumentReading[] {
  if (isFault(answer)) return [{ container, result: answer }];
  if (answer.file === undefined) return answer.documents.map((document) => ({ container, ...document }));
  const chain = 'is named by another configuration, and names a third one: name that file there';
  return [{ container, result: new Fault('PC_POLICY_VALUE', `${container}: ${chain}`) }];
}

function modulesOf(file: string, bytes: Uint8Array, gate: WasiModulesGate): WasiModules {
  const text = decodeText(bytes);
  if (text === undefined)
    return { documents: [{ result: new Fault('PC_POLICY_SYNTAX', `${file}: not valid UTF-8`) }] };
  const origin = { source: 'file', location: file, directory: dirname(resolve(file)) };
  return parseWasiModules(text, origin, gate);
}
