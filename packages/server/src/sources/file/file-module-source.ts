import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Policy } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import { settledState } from '../file-state.ts';
import type { ModuleSource } from '../source.ts';

export interface FileModules {
  readonly maxModuleBytes: number;
  /** Milliseconds since 1970. Without it a module is read again at every reload. */
  readonly wall?: () => number;
}

/**
 * Files beside the document. Only a document that is itself a file may name one: what comes through an API must not make
 * the server open paths of its choice.
 */
export function createFileModuleSource({ maxModuleBytes, wall }: FileModules): ModuleSource {
  /** Policies share modules: one look serves all who ask meanwhile. */
  const looking = new Map<string, Promise<string | undefined>>();

  function look(path: string, now: number): Promise<string | undefined> {
    const state = settledState(path, now).finally(() => looking.delete(path));
    looking.set(path, state);
    return state;
  }

  return {
    place: 'file',

    async version(policy) {
      const path = pathOf(policy);
      if (path === undefined || wall === undefined) return undefined;
      const state = await (looking.get(path) ?? look(path, wall()));
      return state === undefined ? undefined : `${path} ${state}`;
    },

    async fetch(policy) {
      const path = pathOf(policy);
      if (path === undefined) {
        return new Fault(
          'PC_MODULE_SOURCE',
          '`module.file` works only in documents that are files themselves',
        );
      }
      const bytes = await attempt('PC_MODULE_MISSING', `cannot read module \`${path}\``, () =>
        readCapped(path, maxModuleBytes),
      );
      return (
        bytes ?? new Fault('PC_MODULE_SIZE', `module \`${path}\` is larger than ${maxModuleBytes} bytes`)
      );
    },
  };
}

function pathOf({ spec, origin }: Policy): string | undefined {
  const { file } = spec.module;
  return file === undefined || origin.directory === undefined ? undefined : resolve(origin.directory, file);
}

/** Undefined when the file is larger than the cap; such a file is not read. */
async function readCapped(path: string, cap: number): Promise<Uint8Array | undefined> {
  // Without waiting: opening a named pipe would, for a writer that may never come.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error('not a regular file');
    return stat.size > cap ? undefined : await handle.readFile();
  } finally {
    await handle.close();
  }
}
