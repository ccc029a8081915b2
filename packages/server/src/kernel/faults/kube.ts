import type { FaultEntry } from './fault-entry.ts';

/** Talking to a Kubernetes API server. */
export const KUBE_FAULTS = {
  PC_KUBE_CONFIG: {
    meaning: 'the way to the Kubernetes API server is not configured, or the kubeconfig cannot be used',
    advice: 'mend the kubeconfig where the message says; `kubectl config view` shows what kubectl reads',
  },
  PC_KUBE_CREDENTIALS: {
    meaning: 'the credentials for the Kubernetes API server cannot be read or made',
    advice: 'check the file, or run the command of the exec plugin by hand',
  },
  PC_KUBE_UNREACHABLE: {
    meaning: 'the Kubernetes API server cannot be reached, or the connection broke',
    advice: 'check the address, the network and the certificate authority; it is tried again',
  },
  PC_KUBE_TIMEOUT: {
    meaning: 'the Kubernetes API server did not answer, or fell silent',
    advice: 'check its load and the network; it is tried again',
  },
  PC_KUBE_UNAUTHORIZED: {
    meaning: 'the Kubernetes API server does not accept the credentials',
    advice: 'renew the token or the client certificate; they are read again by themselves',
  },
  PC_KUBE_FORBIDDEN: {
    meaning: 'the Kubernetes API server does not allow this to us',
    advice: 'grant the verb on the resource that the message names; see the RBAC rules of the chart',
  },
  PC_KUBE_NOT_FOUND: {
    meaning: 'the object, or its kind, does not exist in the cluster',
    advice: 'create it, or install its CustomResourceDefinition',
  },
  PC_KUBE_CONFLICT: {
    meaning: 'somebody else changed, made or owns the object',
    advice: 'read it again and repeat the change on what is there now',
  },
  PC_KUBE_GONE: {
    meaning: 'the resource version is too old, or not known, to the API server',
    advice: 'list again; watches do this by themselves',
  },
  PC_KUBE_INVALID: {
    meaning: 'the Kubernetes API server refuses the request or the object as invalid',
    advice: 'mend what the message names',
  },
  PC_KUBE_THROTTLED: {
    meaning: 'the Kubernetes API server has too many requests',
    advice: 'it is tried again later; see its API priority and fairness if it persists',
  },
  PC_KUBE_SERVER: {
    meaning: 'the Kubernetes API server failed inside',
    advice: 'see the log of the API server; it is tried again',
  },
  PC_KUBE_ANSWER: {
    meaning: 'an answer of the Kubernetes API server cannot be read, or is too large',
    advice: 'check that the address is that of an API server and that no proxy changes its answers',
  },
  PC_KUBE_ABORTED: {
    meaning: 'a request to the Kubernetes API server was given up because its caller stopped',
    advice: 'nothing to do',
  },
} as const satisfies Record<string, FaultEntry>;
