import assert from 'node:assert/strict';
import type { Policy } from '@portcullis/contract';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { parsePolicies } from '../../src/policy/parse-policies.ts';

export const ORIGIN = { source: 'file', location: 'policies/a.yaml' };

/** A document around a spec in YAML's flow form. */
export function documentOf(spec: string): string {
  return `apiVersion: portcullis.dev/v1\nkind: Policy\nmetadata: { name: a }\nspec: ${spec}\n`;
}

export function policyOf(spec: string): Policy {
  const [document, ...others] = parsePolicies(documentOf(spec), ORIGIN);
  assert.equal(others.length, 0);
  assert.ok(document !== undefined && !isFault(document.result));
  return document.result;
}

export function faultOf(text: string): Fault {
  const [document, ...others] = parsePolicies(text, ORIGIN);
  assert.equal(others.length, 0);
  assert.ok(isFault(document?.result), text);
  return document.result;
}
