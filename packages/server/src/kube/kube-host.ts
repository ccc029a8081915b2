import type { Host, Runtime } from '../kernel/ports.ts';

export { pause } from '../kernel/pause.ts';
export type { Command, CommandOutcome } from '../kernel/ports.ts';

/** What the client and everything above it needs of the machine. */
export type KubeRuntime = Runtime;

/** The runtime with files and commands: credentials need them. */
export type KubeHost = Host;
