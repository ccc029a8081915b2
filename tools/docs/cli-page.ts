import type { Command } from 'commander';
import { createProgram } from '../../packages/server/src/cli/program.ts';
import type { CommandIo } from '../../packages/server/src/cli/command-io.ts';
import { generated } from './markdown.ts';

/** Help goes into the page, so nothing may be coloured or written elsewhere. */
const PLAIN: CommandIo = { out: () => undefined, err: () => undefined, paint: (_style, text) => text };

export async function cliPage(): Promise<string> {
  const program = await createProgram(PLAIN, () => undefined);
  const intro =
    'What `portcullis COMMAND --help` prints. Results go to standard output, everything else to standard error.';
  return `${generated('Command line', intro)}\n${program.commands.flatMap((command) => sections(command, 'portcullis')).join('\n')}`;
}

/** Of a command and of those below it. */
function sections(command: Command, above: string): readonly string[] {
  const name = `${above} ${command.name()}`;
  return [section(command, name), ...command.commands.flatMap((inner) => sections(inner, name))];
}

function section(command: Command, name: string): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) }).configureHelp({ helpWidth: 100 });
  command.outputHelp();
  return `## ${name}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}
