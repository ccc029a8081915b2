import { randomUUID } from 'node:crypto';
import { threadId, type MessagePort } from 'node:worker_threads';
import type { GateName } from '@portcullis/contract';
import { createChain } from '../../chain/chain.ts';
import { accessRoute } from '../../gates/access-gate.ts';
import { observeCapabilities } from '../../engines/observe-capabilities.ts';
import { createAdmissionGate } from '../../gates/kube-admission/admission-gate.ts';
import { admissionRoute } from '../../gates/kube-admission/admission-route.ts';
import { parseAdmissionReview } from '../../gates/kube-admission/parse-admission-review.ts';
import { createAuthenticationGate } from '../../gates/kube-authn/authentication-gate.ts';
import { createAuthorizationGate } from '../../gates/kube-authz/authorization-gate.ts';
import { createKubewardenGate } from '../../gates/kubewarden/kubewarden-gate.ts';
import { kubewardenRoute } from '../../gates/kubewarden/kubewarden-route.ts';
import { isFault, type FaultCode } from '../../kernel/fault.ts';
import { createGateTelemetry } from '../../telemetry/gate-telemetry.ts';
import { createWasmRuntime } from '../../wasm/wasm-runtime.ts';
import { createClock } from '../clock.ts';
import { ENGINES } from '../engine-table.ts';
import { createLocalCapabilities } from '../capabilities/local-capabilities.ts';
import { createHost } from '../create-host.ts';
import { createGateListener } from '../http/gate-listener.ts';
import { createNamespaceLabels } from '../namespace-labels.ts';
import type { GateThreadData } from './gate-thread-data.ts';
import { routeGates } from './route-gates.ts';
import { serveThread } from './serve-thread.ts';
import { createThreadCapabilities } from './thread-capabilities.ts';
import { createThreadLog } from './thread-log.ts';

/** Everything of one gate thread: bytes in, decision, bytes out, without asking the control thread. */
export function runGateThread(control: MessagePort, data: GateThreadData): void {
  const clock = createClock();
  const log = createThreadLog(data.logLevel, (message) => control.postMessage(message));
  // The listener is made last, but it knows how much is under way.
  const telemetry = createGateTelemetry({ thread: threadId, inFlight: () => listener.underWay });
  const capabilities = createThreadCapabilities({
    runtime: createHost(clock, log),
    send: (question) => control.postMessage(question),
    here: createLocalCapabilities(clock),
  });
  const namespaces = createNamespaceLabels(data.namespaces);
  const chain = createChain({
    engines: ENGINES,
    host: {
      runtime: createWasmRuntime({ clock }),
      clock,
      log,
      capabilities: observeCapabilities(capabilities, telemetry, clock),
    },
    namespaceLabels: namespaces.labelsOf,
    namespaceAppears: namespaces.appears,
    observer: telemetry,
  });
  const failed = (error: unknown): void =>
    log.log('error', 'an unexpected error in a gate thread', { code: 'PC_INTERNAL', reason: stackOf(error) });
  const refusals = (gate: GateName) => (code: FaultCode) => telemetry.refused(gate, code);
  const access = { decide: chain.decideAccess, log, createUid: randomUUID };
  const router = routeGates(
    {
      name: 'admission',
      knows: (path) => admissionRoute(path) !== undefined,
      gate: createAdmissionGate({
        decide: chain.decide,
        log,
        maxBodyBytes: data.limits.maxBodyBytes,
        refused: refusals('admission'),
      }),
    },
    {
      name: 'admission',
      knows: (path) => kubewardenRoute(path) !== undefined,
      gate: createKubewardenGate({
        decide: chain.decideNamed,
        parseReview(body, deadline) {
          const parsed = parseAdmissionReview(body, deadline, 'optional');
          return isFault(parsed) ? parsed : parsed.review;
        },
        log,
        maxBodyBytes: data.limits.maxBodyBytes,
        refused: refusals('admission'),
        ...(data.acceptNamespace === undefined ? {} : { acceptNamespace: data.acceptNamespace }),
      }),
    },
    {
      name: 'authorization',
      knows: (path) => accessRoute('authorization', path) !== undefined,
      gate: createAuthorizationGate({ ...access, refused: refusals('authorization') }),
    },
    {
      name: 'authentication',
      knows: (path) => accessRoute('authentication', path) !== undefined,
      gate: createAuthenticationGate({
        ...access,
        audiences: data.audiences,
        refused: refusals('authentication'),
      }),
    },
  );
  const listener = createGateListener({
    limits: data.limits,
    ...(data.tls === undefined ? {} : { tls: data.tls }),
    gate: router.gate,
    knows: (path) => router.gateOf(path) !== undefined,
    now: () => clock.now(),
    refused: (code, path) => telemetry.refused(router.gateOf(path)?.name ?? 'admission', code),
    failed,
  });
  serveThread(control, {
    listener,
    clock,
    setNamespaces: (changes) => namespaces.update(changes),
    answered: (answer) => capabilities.answered(answer),
    install: (set) => chain.installInSlices(set),
    flush: () => telemetry.drain(),
    failed,
  });
}

/** Where it happened; the message is left out, because it may quote a review. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.map((line) => line.trim())].join(' ');
}
