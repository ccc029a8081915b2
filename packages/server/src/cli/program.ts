import { Command, CommanderError } from 'commander';
import { POLICY_SERVER_FLAGS } from '../app/config/policy-server-flags.ts';
import { VERSION } from '../app/version.ts';
import { withSmallYoungGeneration } from '../app/with-small-young-generation.ts';
import { createCommandIo, EXIT, type CommandIo } from './command-io.ts';

type CreateCommand = (io: CommandIo, finish: (code: number) => void) => Command;

/** One file per command, loaded when it is asked for: `serve` must not wait for what only `bench` needs. */
const COMMANDS: ReadonlyMap<string, () => Promise<CreateCommand>> = new Map([
  ['serve', async () => (await import('./serve.ts')).createServeCommand],
  ['policy-server', async () => (await import('./policy-server.ts')).createPolicyServerCommand],
  ['import', async () => (await import('./import.ts')).createImportCommand],
  ['check', async () => (await import('./check.ts')).createCheckCommand],
  ['test', async () => (await import('./test.ts')).createTestCommand],
  ['inspect', async () => (await import('./inspect.ts')).createInspectCommand],
  ['doctor', async () => (await import('./doctor.ts')).createDoctorCommand],
  ['manifests', async () => (await import('./manifests.ts')).createManifestsCommand],
  ['policy', async () => (await import('./policy.ts')).createPolicyCommand],
  ['bench', async () => (await import('./bench.ts')).createBenchCommand],
]);

type Finish = (code: number) => void;

/** The program with one command, when `only` is the name of one, or with all. */
export async function createProgram(io: CommandIo, finish: Finish, only?: string): Promise<Command> {
  const program = new Command('portcullis')
    .description('Decides what may enter: Kubernetes admission with sandboxed WebAssembly policies.')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(see --help)')
    .exitOverride();
  const asked = COMMANDS.get(only ?? '');
  for (const load of asked === undefined ? COMMANDS.values() : [asked]) {
    const create = await load();
    // Settings of the program reach only commands that it makes itself.
    program.addCommand(inherit(create(io, finish), program));
  }
  return program;
}

function inherit(command: Command, from: Command): Command {
  command.copyInheritedSettings(from);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}

/** Whoever exchanges only the image of a policy-server leaves its flags, which name no command. */
function withCommand(argv: readonly string[]): readonly string[] {
  const [flag = ''] = (argv[2] ?? '').split('=', 1);
  const isPolicyServer = POLICY_SERVER_FLAGS.some((row) => row.flag === flag);
  return isPolicyServer ? [...argv.slice(0, 2), 'policy-server', ...argv.slice(2)] : argv;
}

/** Runs one command line. `argv` as of the process. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const finish = (code: number): void => {
    process.exitCode = code;
  };
  const words = withCommand(argv);
  const io = createCommandIo(process.stdout, process.stderr);
  const program = await withSmallYoungGeneration(() => createProgram(io, finish, words[2]));
  try {
    await program.parseAsync(words);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end this way too, with 0. The text is already written.
    finish(error.exitCode === 0 ? EXIT.ok : EXIT.badInput);
  }
}
