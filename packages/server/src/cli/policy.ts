import { Command } from 'commander';
import type { CommandIo } from './command-io.ts';
import { createAnnotateCommand } from './policy/annotate.ts';
import { createDigestCommand } from './policy/digest.ts';
import { createLoadCommand } from './policy/load.ts';
import { createPullCommand } from './policy/pull.ts';
import { createPushCommand } from './policy/push.ts';
import { createSaveCommand } from './policy/save.ts';

export function createPolicyCommand(io: CommandIo, finish: (code: number) => void): Command {
  const command = new Command('policy')
    .summary('modules of policies in OCI registries')
    .description(
      'Puts modules of policies into OCI registries and gets them out, and carries them where no network is.\n' +
        'A reference is `registry/repository:tag`, or `registry/repository@sha256:…` for content that never changes;\n' +
        'credentials are those of `docker login`. Exit status: 0 done, 2 not.',
    )
    .addHelpText(
      'after',
      '\nFrom a module to a policy in force:\n' +
        '  docker login registry.example\n' +
        '  portcullis policy push labels.wasm registry.example/policies/labels:v1\n' +
        '  # in the policy:  module: { oci: "registry.example/policies/labels:v1" }\n',
    );
  const commands = [
    createPullCommand,
    createPushCommand,
    createDigestCommand,
    createSaveCommand,
    createLoadCommand,
    createAnnotateCommand,
  ];
  for (const create of commands) command.addCommand(create(io, finish));
  return command;
}
