/** One kind that policies and exceptions have in the Kubernetes API. */
export interface CustomResource {
  readonly kind: string;
  /** Plural; the definition is named `<plural>.portcullis.dev`. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** The kind of the document that its `spec` is read as. */
  readonly document: 'Policy' | 'PolicyGroup' | 'PolicyException';
}

export const CUSTOM_RESOURCE_GROUP = 'portcullis.dev';
export const CUSTOM_RESOURCE_VERSION = 'v1';

/** Exceptions are for those who run the cluster: who may write in a namespace may not except it from their policies. */
export const CUSTOM_RESOURCES: readonly CustomResource[] = [
  {
    kind: 'Policy',
    plural: 'policies',
    singular: 'policy',
    shortNames: ['pol'],
    namespaced: false,
    document: 'Policy',
  },
  {
    kind: 'PolicyGroup',
    plural: 'policygroups',
    singular: 'policygroup',
    shortNames: ['polgrp'],
    namespaced: false,
    document: 'PolicyGroup',
  },
  {
    kind: 'NamespacedPolicy',
    plural: 'namespacedpolicies',
    singular: 'namespacedpolicy',
    shortNames: ['npol'],
    namespaced: true,
    document: 'Policy',
  },
  {
    kind: 'NamespacedPolicyGroup',
    plural: 'namespacedpolicygroups',
    singular: 'namespacedpolicygroup',
    shortNames: ['npolgrp'],
    namespaced: true,
    document: 'PolicyGroup',
  },
  {
    kind: 'PolicyException',
    plural: 'policyexceptions',
    singular: 'policyexception',
    shortNames: ['polex'],
    namespaced: false,
    document: 'PolicyException',
  },
];
