import { readFile, writeFile } from 'node:fs/promises';
import type { JsonValue } from '@portcullis/contract';
import { parse } from 'yaml';
import { z } from 'zod';
import { CAPABILITIES } from '../../engines/host-capabilities.ts';
import type { RecordedCall } from '../../engines/recorded-capabilities.ts';
import { FAULTS } from '../../kernel/faults/catalogue.ts';
import { Fault, isFault, type FaultCode } from '../../kernel/fault.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { attempt } from '../../kernel/result.ts';

const json = z.custom<JsonValue>((value) => value !== undefined, 'is missing');
const code = z.custom<FaultCode>((value) => typeof value === 'string' && Object.hasOwn(FAULTS, value), {
  error: 'is not the code of a fault',
});
const asked = { capability: z.enum(CAPABILITIES), request: json };

/** One call of a recording: what a policy asked, and what it got. */
export const recordedCallSchema = z.union(
  [
    z.strictObject({ ...asked, response: json }),
    z.strictObject({ ...asked, error: z.string(), code: code.default('PC_CAPABILITY_FAILED') }),
  ],
  { error: 'must be a call: `capability`, `request`, and either `response` or `error`' },
);

type WrittenCall = z.output<typeof recordedCallSchema>;

export function recordedCallOf(call: WrittenCall): RecordedCall {
  const { capability, request } = call;
  const answer = 'response' in call ? { response: call.response } : { error: call.error, code: call.code };
  return { capability, request, answer };
}

/** PC_INPUT for a file that cannot be read or is no recording. */
export async function readRecordedCalls(path: string): Promise<readonly RecordedCall[] | Fault> {
  const bytes = await attempt('PC_INPUT', `cannot read \`${path}\``, () => readFile(path));
  if (isFault(bytes)) return bytes;
  const value = readValue(bytes, path);
  if (isFault(value)) return value;
  const read = z.array(recordedCallSchema).safeParse(value);
  if (read.success) return read.data.map(recordedCallOf);
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') ?? '';
  return new Fault(
    'PC_INPUT',
    `${path}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'no recording'}`,
  );
}

/** JSON first: there every number keeps its digits. */
function readValue(bytes: Uint8Array, path: string): unknown {
  const value = parseJson(bytes);
  if (!isFault(value)) return value;
  try {
    return parse(Buffer.from(bytes).toString()) as unknown;
  } catch (error) {
    return new Fault('PC_INPUT', `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** For nobody else: answers may hold whole objects of a cluster. */
export async function writeRecordedCalls(
  path: string,
  calls: readonly RecordedCall[],
): Promise<Fault | undefined> {
  const entries = calls.map(({ answer, ...call }) => ({ ...call, ...answer }));
  const text = `${JSON.stringify(entries, undefined, 2)}\n`;
  const written = await attempt('PC_INPUT', `cannot write \`${path}\``, () =>
    writeFile(path, text, { mode: 0o600 }),
  );
  return isFault(written) ? written : undefined;
}
