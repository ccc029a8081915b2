import type { FaultEntry } from './fault-entry.ts';

/** The server, its configuration and its management API. */
export const SERVER_FAULTS = {
  PC_CONFIG_SYNTAX: {
    meaning: 'the configuration is not well-formed YAML',
    advice: 'mend it at the named line',
  },
  PC_CONFIG_KEY: {
    meaning: 'the configuration has a key that does not exist',
    advice: 'see docs/configuration.md',
  },
  PC_CONFIG_VALUE: { meaning: 'a configuration key has a wrong value', advice: 'see docs/configuration.md' },
  PC_TLS_CERTIFICATE: {
    meaning: 'a certificate or key cannot be used',
    advice: 'give a PEM certificate chain and its matching key; the last good pair stays in use',
  },
  PC_LISTEN: { meaning: 'a port cannot be opened', advice: 'choose another port or stop what uses it' },
  PC_THREAD: {
    meaning: 'a gate thread died and was replaced',
    advice: 'report it with the log line above it',
  },
  PC_OVERLOAD: {
    meaning: 'the server has more work than it may take',
    advice: 'retry after the named seconds',
  },
  PC_NOT_READY: {
    meaning: 'a review came before any policy set was loaded',
    advice: 'wait until `/readyz` answers 200',
  },
  PC_INTERNAL: {
    meaning: 'an unexpected error inside Portcullis',
    advice: 'please report it with the log line',
  },
  PC_AUTH_REQUIRED: { meaning: 'no valid token', advice: 'send `authorization: Bearer <token>`' },
  PC_AUTH_FORBIDDEN: {
    meaning: "the token's role does not allow this",
    advice: 'use a token of a higher role',
  },
  PC_AUTH_ATTEMPTS: {
    meaning: 'too many wrong tokens came from this address',
    advice: 'wait for the seconds that `retry-after` names, then use a valid token',
  },
  PC_NOT_FOUND: { meaning: 'there is nothing with this name or path', advice: 'list what exists' },
  PC_METHOD: { meaning: 'the path does not take this method', advice: 'use a method that `allow` names' },
  PC_CONFLICT: { meaning: 'the thing belongs to another source', advice: 'change it where it comes from' },
  PC_BODY: { meaning: 'the body of a management request cannot be used', advice: 'see /openapi.json' },
  PC_BODY_SIZE: {
    meaning: 'the body of a management request is too large',
    advice: 'load large modules by URL or from a file',
  },
  PC_BODY_TYPE: {
    meaning: 'the body of a management request has a content type that the path does not take',
    advice: 'send one of the content types that the message names',
  },
  PC_QUERY: {
    meaning: 'a query parameter of a management request cannot be used',
    advice: 'see /openapi.json',
  },
  PC_PRECONDITION: {
    meaning: 'the thing is not as the request demands it to be',
    advice: 'read it again, apply the change to what is there now, and send its new `etag`',
  },
  PC_STORAGE: {
    meaning: 'the data directory cannot be read or written',
    advice: 'check the path and its permissions',
  },
  PC_INPUT: { meaning: 'a file given on the command line cannot be used', advice: 'see the message' },
} as const satisfies Record<string, FaultEntry>;
