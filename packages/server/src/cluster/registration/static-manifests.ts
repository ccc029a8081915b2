import type { JsonObject, Policy } from '@portcullis/contract';
import { stringify } from 'yaml';
import { describeRegistration } from './describe-registration.ts';
import {
  registrationName,
  type Registration,
  type RegistrationNote,
  type RegistrationOptions,
} from './registration-options.ts';

/** An API server takes only names with this end from files, and none with it through its API. */
const SUFFIX = '.static.k8s.io';

/** Static manifests have no services: an API server reads them before it can look one up. */
export interface StaticManifestOptions extends Omit<RegistrationOptions, 'endpoint' | 'isStatic'> {
  /** https, without query; paths are appended. */
  readonly url: string;
}

/** YAML texts, for one folder each: every admission plugin of an API server takes only its own kind of document. */
export interface StaticManifests {
  readonly validating?: string;
  readonly mutating?: string;
  readonly notes: readonly RegistrationNote[];
}

export function describeStaticManifests(
  policies: readonly Policy[],
  { url, ...options }: StaticManifestOptions,
): StaticManifests {
  const registration = describeRegistration(policies, { ...options, endpoint: { url }, isStatic: true });
  const name = `${registrationName(options)}${SUFFIX}`;
  return {
    ...manifest('validating', registration, name),
    ...manifest('mutating', registration, name),
    notes: registration.notes,
  };
}

function manifest(key: 'validating' | 'mutating', registration: Registration, name: string): object {
  const document = registration[key];
  if (document === undefined) return {};
  const metadata = { ...(document['metadata'] as JsonObject), name };
  return { [key]: stringify({ ...document, metadata }, { lineWidth: 0, aliasDuplicateObjects: false }) };
}
