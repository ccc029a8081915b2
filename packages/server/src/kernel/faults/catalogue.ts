import { CAPABILITY_FAULTS } from './capability.ts';
import { CLUSTER_FAULTS } from './cluster.ts';
import { KUBE_FAULTS } from './kube.ts';
import { KUBEWARDEN_FAULTS } from './kubewarden.ts';
import { MODULE_FAULTS } from './module.ts';
import { OCI_FAULTS } from './oci.ts';
import { OPA_FAULTS } from './opa.ts';
import { POLICY_FAULTS } from './policy.ts';
import { REVIEW_FAULTS } from './review.ts';
import { SERVER_FAULTS } from './server.ts';
import { WASM_FAULTS } from './wasm.ts';
import type { FaultEntry } from './fault-entry.ts';

const ROWS = {
  ...POLICY_FAULTS,
  ...MODULE_FAULTS,
  ...WASM_FAULTS,
  ...KUBEWARDEN_FAULTS,
  ...OPA_FAULTS,
  ...CAPABILITY_FAULTS,
  ...REVIEW_FAULTS,
  ...SERVER_FAULTS,
  ...KUBE_FAULTS,
  ...CLUSTER_FAULTS,
  ...OCI_FAULTS,
};

export type FaultCode = keyof typeof ROWS;

/** Every code that Portcullis can show, with its meaning and what to do. */
export const FAULTS: Readonly<Record<FaultCode, FaultEntry>> = ROWS;
