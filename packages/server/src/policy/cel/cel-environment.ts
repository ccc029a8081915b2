import { Environment } from '@marcbachmann/cel-js';
import { CelMeter } from './cel-budget.ts';
import { registerListFunctions } from './functions/list-functions.ts';
import { registerNetworkFunctions } from './functions/network-functions.ts';
import { registerQuantityFunctions } from './functions/quantity-functions.ts';
import { registerStringFunctions } from './functions/string-functions.ts';
import { registerUrlFunctions } from './functions/url-functions.ts';
import type { Register } from './register.ts';
import { CEL_VARIABLES } from './review-variables.ts';

const FAMILIES: readonly Register[] = [
  registerStringFunctions,
  registerListFunctions,
  registerQuantityFunctions,
  registerNetworkFunctions,
  registerUrlFunctions,
];

/**
 * Methods of the library that we have better: its `matches` backtracks, so a request could keep it busy for hours; the
 * others touch letters beyond ASCII.
 */
export const REPLACED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['matches', 'matchesRe2'],
  ['lowerAscii', 'lowerAsciiOnly'],
  ['upperAscii', 'upperAsciiOnly'],
]);

const LIMITS = {
  maxAstNodes: 4000,
  maxDepth: 100,
  maxListElements: 500,
  maxMapEntries: 500,
  maxCallArguments: 16,
};

export interface CelEnvironment {
  readonly environment: Environment;
  readonly meter: CelMeter;
}

/** Built on first use, for it costs about a millisecond; stateless apart from the evaluation that is running. */
export function celEnvironment(): CelEnvironment {
  shared ??= createCelEnvironment();
  return shared;
}

let shared: CelEnvironment | undefined;

function createCelEnvironment(): CelEnvironment {
  // As Kubernetes: optional types on. Literals may mix types, since every value of a request is of dynamic type.
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  });
  const meter = new CelMeter();
  for (const name of CEL_VARIABLES) environment.registerVariable(name, 'dyn');
  for (const register of FAMILIES) register(environment, meter);
  return { environment, meter };
}
