import type { EngineName } from '@portcullis/contract';
import type { Engine } from '../engines/engine.ts';
import { kubewardenEngine } from '../engines/kubewarden/kubewarden-engine.ts';
import { gatekeeperEngine, opaEngine } from '../engines/opa/opa-engine.ts';
import { pluginEngine } from '../engines/plugin/plugin-engine.ts';
import { wasiEngine } from '../engines/wasi/wasi-engine.ts';

/** Every engine of this server, in the order in which they are asked whether a module is theirs. */
export const ENGINES: ReadonlyMap<EngineName, Engine> = new Map<EngineName, Engine>([
  ['plugin', pluginEngine],
  ['wasi', wasiEngine],
  ['kubewarden', kubewardenEngine],
  ['opa', opaEngine],
  ['gatekeeper', gatekeeperEngine],
]);
