import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parsePolicies } from '../../policy/parse-policies.ts';
import { checkMediaType, readText } from '../http/read-body.ts';

/** JSON is YAML, so that one reader serves all. */
export const POLICY_MEDIA_TYPES: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
];

/** The one policy document in the body of a request. Its positions are those of the body. */
export async function readPolicy(request: Request, limit: number): Promise<Policy | Fault> {
  const type = checkMediaType(request, POLICY_MEDIA_TYPES);
  if (isFault(type)) return type;
  const text = await readText(request, limit);
  if (isFault(text)) return text;
  const [first, ...others] = parsePolicies(text, { source: 'api', location: 'body' });
  if (first === undefined) return new Fault('PC_BODY', 'the body holds no policy document');
  if (others.length > 0) {
    return new Fault('PC_BODY', `the body holds ${others.length + 1} documents, send one policy per request`);
  }
  return first.result;
}
