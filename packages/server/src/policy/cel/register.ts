import type { Environment } from '@marcbachmann/cel-js';
import type { CelMeter } from './cel-budget.ts';

/** Adds one family of functions to an environment. */
export type Register = (environment: Environment, meter: CelMeter) => void;
