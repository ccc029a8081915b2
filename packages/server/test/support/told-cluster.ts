import type { JsonValue } from '@portcullis/contract';
import type { CapabilityRequest, HostCapabilities } from '../../src/engines/host-capabilities.ts';
import type { Fault } from '../../src/kernel/fault.ts';

/** A cluster that says what it is told to, as the control thread does: the same bytes as long as it is the same. */
export interface ToldCluster extends HostCapabilities {
  answer: Uint8Array | Fault;
  readonly asked: CapabilityRequest[];
}

export function toldCluster(inventory: JsonValue): ToldCluster {
  const asked: CapabilityRequest[] = [];
  const cluster: ToldCluster = {
    answer: Buffer.from(JSON.stringify(inventory)),
    asked,
    call(request) {
      asked.push(request);
      return Promise.resolve(cluster.answer);
    },
  };
  return cluster;
}
