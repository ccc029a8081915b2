import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { ModuleSource } from '../source.ts';

/**
 * Files beside the document. Only a document that is itself a file may name one: what comes through an API must not make
 * the server open paths of its choice.
 */
export function createFileModuleSource(maxModuleBytes: number): ModuleSource {
  return {
    place: 'file',
    async fetch(policy) {
      const { file } = policy.spec.module;
      const { directory } = policy.origin;
      if (file === undefined || directory === undefined) {
        return new Fault(
          'PC_MODULE_SOURCE',
          '`module.file` works only in documents that are files themselves',
        );
      }
      const path = resolve(directory, file);
      const bytes = await attempt('PC_MODULE_MISSING', `cannot read module \`${path}\``, () =>
        readCapped(path, maxModuleBytes),
      );
      return (
        bytes ?? new Fault('PC_MODULE_SIZE', `module \`${path}\` is larger than ${maxModuleBytes} bytes`)
      );
    },
  };
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
