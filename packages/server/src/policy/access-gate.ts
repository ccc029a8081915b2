import type { GateName } from '@portcullis/contract';

/** The gates that ask who somebody is and what they may do: their policies are asked one after another, and change nothing. */
export function isAccessGate(gate: GateName): boolean {
  return gate === 'authentication' || gate === 'authorization';
}
