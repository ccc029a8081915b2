import type { FaultEntry } from './fault-entry.ts';

/** Talking to an OCI registry, and what it holds. */
export const OCI_FAULTS = {
  PC_OCI_REFERENCE: {
    meaning: 'a text is not a reference of an OCI artifact',
    advice: 'write `registry.example/team/policy:tag`, or with `@sha256:…` for one that never changes',
  },
  PC_OCI_CREDENTIALS: {
    meaning: 'the credentials for a registry cannot be read or made',
    advice: 'mend the docker configuration, or run its credential helper by hand',
  },
  PC_OCI_UNREACHABLE: {
    meaning: 'a registry cannot be reached, or the connection broke',
    advice: 'check the address, the network and the certificate authority (`sources.oci.caFile`)',
  },
  PC_OCI_ADDRESS: {
    meaning: 'a registry, or where it sends us, has an address that may not be connected to',
    advice: 'set `sources.oci.allowPrivate`, or name the registry as a mirror, when it is inside the network',
  },
  PC_OCI_TIMEOUT: {
    meaning: 'a registry did not answer in time',
    advice: 'check its load and the network, or raise `sources.oci.timeout`',
  },
  PC_OCI_UNAUTHORIZED: {
    meaning: 'a registry wants other credentials, or none were given',
    advice: 'log in with `docker login`, or name the file with `sources.oci.dockerConfigFile`',
  },
  PC_OCI_FORBIDDEN: {
    meaning: 'a registry does not allow this to us',
    advice: 'grant the account the right to pull (or push) the repository',
  },
  PC_OCI_NOT_FOUND: {
    meaning: 'the registry does not have the repository, tag, manifest or blob',
    advice: 'check the reference; some registries answer so when credentials are missing',
  },
  PC_OCI_THROTTLED: {
    meaning: 'the registry has had too many requests from us',
    advice: 'it is tried again later; log in, or use a mirror',
  },
  PC_OCI_SERVER: {
    meaning: 'the registry failed inside',
    advice: 'see its log; it is tried again',
  },
  PC_OCI_ANSWER: {
    meaning: 'an answer of the registry cannot be used',
    advice: 'check that the address is that of a registry and that no proxy changes its answers',
  },
  PC_OCI_DIGEST: {
    meaning: 'the bytes that came do not have the digest that was asked for',
    advice: 'do not use them; check the registry and the mirrors in between',
  },
  PC_OCI_SIZE: {
    meaning: 'a manifest or blob is larger than allowed, or not as long as its manifest says',
    advice: 'build the module smaller or raise `sources.maxModuleBytes`',
  },
  PC_OCI_ARTIFACT: {
    meaning: 'the artifact holds no Wasm module that could be told',
    advice:
      'push one layer of type `application/vnd.wasm.content.layer.v1+wasm`, as `portcullis policy push` does',
  },
  PC_OCI_ABORTED: {
    meaning: 'a request to a registry was given up because its caller stopped',
    advice: 'nothing to do',
  },
} as const satisfies Record<string, FaultEntry>;
