import type { Review } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { createJsonDocument } from '../../kernel/json/json-document.ts';
import { createJsonShape } from '../../kernel/json/json-shape.ts';
import { createJsonScanner } from '../../kernel/json/scan-json.ts';

const SHAPE = createJsonShape({ request: 'request', uid: 'request/uid' });
const scanner = createJsonScanner(SHAPE);
const OPEN_OBJECT = 0x7b;
const QUOTE = 0x22;
const NOTHING = { group: '', version: '', kind: '', resource: '' };

/** `{"request": …}` with any value: it is what the policy is asked about, and what it may change, as the bytes that arrived. */
export function parseRawReview(body: Uint8Array, deadline: number): Review | Fault {
  if (body.length === 0) return new Fault('PC_REVIEW_EMPTY', 'the body is empty');
  const { fault, ranges, hasLongNumber } = scanner.scan(body);
  if (fault !== undefined) return fault;
  const bytes = cut(body, ranges, SHAPE.slots.request);
  if (bytes === undefined) return new Fault('PC_REVIEW_REQUEST', 'missing field `request`');
  const uid = bytes[0] === OPEN_OBJECT ? cut(body, ranges, SHAPE.slots.uid) : undefined;
  const request = createJsonDocument(bytes, hasLongNumber);
  return {
    gate: 'admission',
    uid: uid?.[0] === QUOTE ? (JSON.parse(Buffer.from(uid).toString()) as string) : '',
    operation: 'CREATE',
    kind: NOTHING,
    resource: NOTHING,
    subresource: '',
    name: '',
    namespace: '',
    user: { username: '', groups: [], extra: {} },
    dryRun: false,
    object: request,
    request,
    isRaw: true,
    deadline,
  };
}

function cut(body: Uint8Array, ranges: readonly number[], slot: number): Uint8Array | undefined {
  const [start = -1, end = -1] = [ranges[slot], ranges[slot + 1]];
  return start === -1 ? undefined : body.subarray(start, end);
}
