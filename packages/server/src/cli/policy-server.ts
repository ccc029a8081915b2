import { Command, Option } from 'commander';
import { POLICY_SERVER_FLAGS, type PolicyServerFlag } from '../app/config/policy-server-flags.ts';
import type { CommandIo } from './command-io.ts';
import { runServer } from './serve.ts';

/** `serve` in the words of Kubewarden's policy-server. */
export function createPolicyServerCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('policy-server')
    .summary("run the server with the flags and variables of Kubewarden's policy-server")
    .description(
      "Runs the server in the place of Kubewarden's policy-server: its flags, its variables, its `policies.yml`.\n" +
        'A flag of its as the first word means this command; `serve` takes its variables when KUBEWARDEN_POLICIES is set.\n' +
        'Everything else is configured as for `serve`, and what is said there wins.',
    )
    .option('-c, --config <file>', 'configuration; default: portcullis.yaml, when there is one')
    .option('--development', 'serve with a self-signed certificate', false);
  for (const row of POLICY_SERVER_FLAGS) command.addOption(optionOf(row));
  return command
    .addHelpText(
      'after',
      '\nExample:\n  portcullis policy-server --policies policies.yml --cert-file tls.crt --key-file tls.key',
    )
    .action(async (given: Readonly<Record<string, unknown>>) => {
      const code = await runServer(
        {
          ...(typeof given['config'] === 'string' ? { file: given['config'] } : {}),
          policies: [],
          options: new Map(),
          development: given['development'] === true,
          policyServer: flagsOf(command),
        },
        io,
      );
      if (code !== undefined) finish(code);
    });
}

function optionOf({ flag, variable, value, does }: PolicyServerFlag): Option {
  return new Option(
    value === undefined ? flag : `${flag} <${value.toLowerCase()}>`,
    `${effectOf(does)}; ${variable}`,
  );
}

function effectOf(does: PolicyServerFlag['does']): string {
  if (does === 'nothing') return 'has no effect';
  if (does === 'sources') return 'sets `sources.oci.plainHttp`, `sources.oci.ca` and `sources.url.ca`';
  if ('key' in does) return `sets ${does.key}`;
  return 'note' in does ? does.note : `refused: ${does.refuse}`;
}

function flagsOf(command: Command): ReadonlyMap<string, string> {
  const known = new Set(POLICY_SERVER_FLAGS.map(({ flag }) => flag));
  return new Map(
    command.options.flatMap((option): [string, string][] => {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (option.long === undefined || !known.has(option.long)) return [];
      return typeof value === 'string' || value === true ? [[option.long, String(value)]] : [];
    }),
  );
}
