import type { GateName } from '@portcullis/contract';
import type { Gate } from '../../gates/gate.ts';

/** One gate of a thread and its paths. */
export interface OpenGate {
  readonly name: GateName;
  readonly knows: (path: string) => boolean;
  readonly gate: Gate;
}

/** Several gates behind one listener. */
export interface GateRouter {
  /** Undefined for a path that no gate has. */
  gateOf(path: string): OpenGate | undefined;
  readonly gate: Gate;
}

/** An API server is configured with a few paths; names of policies that do not exist must not fill the memory. */
const MAX_REMEMBERED = 256;

/** The first gate is asked most, and answers for paths that nobody has. */
export function routeGates(first: OpenGate, ...others: readonly OpenGate[]): GateRouter {
  const gates = [first, ...others];
  const known = new Map<string, OpenGate>();

  function gateOf(path: string): OpenGate | undefined {
    const remembered = known.get(path);
    if (remembered !== undefined) return remembered;
    const found = gates.find(({ knows }) => knows(path));
    if (found === undefined) return undefined;
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(path, found);
    return found;
  }

  return { gateOf, gate: (request) => (gateOf(request.path) ?? first).gate(request) };
}
