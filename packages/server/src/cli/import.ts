import { Command } from 'commander';
import type { CommandIo } from './command-io.ts';
import { createImportKubewardenCommand } from './import-kubewarden.ts';

/** Documents of others, once and for all. */
export function createImportCommand(io: CommandIo, finish: (code: number) => void): Command {
  return new Command('import')
    .summary('turn the policies of another server into documents of ours')
    .addCommand(createImportKubewardenCommand(io, finish));
}
