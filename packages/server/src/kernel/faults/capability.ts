import type { FaultEntry } from './fault-entry.ts';

/** What policies ask of the host. */
export const CAPABILITY_FAULTS = {
  PC_CAPABILITY_PATTERN: {
    meaning: 'a policy document grants a capability that there is not',
    advice: 'grant `*`, a whole namespace like `oci/*`, a version like `oci/v2/*`, or one capability by name',
  },
  PC_CAPABILITY_DENIED: {
    meaning: 'a policy asked the host for something that its document does not grant',
    advice: 'add the capability to `spec.capabilities` if the policy is meant to have it',
  },
  PC_CAPABILITY_UNKNOWN: {
    meaning: 'a policy asked the host for something that there is not',
    advice: 'see the list of capabilities; the policy may be made for another host',
  },
  PC_CAPABILITY_UNAVAILABLE: {
    meaning: 'this server cannot do what a policy asks of the host',
    advice: 'configure what the capability needs, or replay recorded calls with `portcullis check`',
  },
  PC_CAPABILITY_INPUT: {
    meaning: 'a policy asked the host with a document that the capability cannot read',
    advice: 'this is a defect of the policy: the message tells what the capability expects',
  },
  PC_CAPABILITY_FAILED: {
    meaning: 'what a policy asked the host for could not be had',
    advice: 'the message has the reason: see whether what the capability asks is reachable',
  },
  PC_CAPABILITY_TIMEOUT: {
    meaning: 'what a policy asked the host for was not there when its time was over',
    advice: 'give the policy more time with `spec.limits.timeout`, or see why what it asks for is slow',
  },
  PC_CAPABILITY_BUSY: {
    meaning: 'so many questions of policies to the host are under way that no more are taken',
    advice: 'see whether what they ask for is slow, or whether one policy asks too often',
  },
  PC_CAPABILITY_SIZE: {
    meaning: 'what a policy asked the host for is larger than what the host holds or hands out',
    advice: 'ask for less, with field masks or selectors, or raise `capabilities.maxCacheBytes`',
  },
  PC_CAPABILITY_UNTRUSTED: {
    meaning: 'an image does not have the signatures that a policy asked for',
    advice: 'sign the image with the key that the policy expects, or see the message for what was found',
  },
} as const satisfies Record<string, FaultEntry>;
