import type { Policy } from '@portcullis/contract';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { parsePluginRegistration } from '../../policy/parse-plugin-registration.ts';
import { checkMediaType, readBytes } from '../http/read-body.ts';
import { flag, readQuery } from '../http/read-query.ts';

export const WASM_MEDIA_TYPE = 'application/wasm';

const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

/** What JSON says beside the module, for a body that is the module. */
export const uploadQuerySchema = z.strictObject({
  name: z.string().min(1).exactOptional().describe('the name of the plugin'),
  version: z.string().min(1).exactOptional().describe('a version such as `1.2.0`'),
  description: z.string().exactOptional().describe('a text'),
  sha256: z.string().exactOptional().describe('64 hex digits'),
  operations: z.string().exactOptional().describe('operations with commas between them'),
  enabled: flag.exactOptional().describe('`true` or `false`'),
  failOpen: flag.exactOptional().describe('`true` or `false`'),
  mutating: flag.exactOptional().describe('`true` or `false`'),
  timeoutMs: count.exactOptional().describe('milliseconds'),
  maxMemoryBytes: count.exactOptional().describe('a number of bytes'),
  maxFuel: count.exactOptional().describe('a whole number'),
});

/** The plugin that a request registers, as JSON or as a module with its description in the query. */
export async function readRegistration(
  request: Request,
  { limit, order }: { readonly limit: number; readonly order: number },
): Promise<Policy | Fault> {
  const type = checkMediaType(request, ['application/json', WASM_MEDIA_TYPE]);
  if (isFault(type)) return type;
  const registration =
    type === WASM_MEDIA_TYPE ? await readUpload(request, limit) : await readJson(request, limit);
  return isFault(registration) ? registration : parsePluginRegistration(registration, order);
}

async function readJson(request: Request, limit: number): Promise<unknown> {
  const bytes = await readBytes(request, limit);
  if (isFault(bytes)) return bytes;
  const value = parseJson(bytes);
  return isFault(value) ? new Fault('PC_BODY', value.message, { cause: value }) : value;
}

async function readUpload(request: Request, limit: number): Promise<object> {
  // Looked at before the body, which may be large.
  const query = readQuery(new URL(request.url), uploadQuerySchema);
  if (isFault(query)) return query;
  const bytes = await readBytes(request, limit);
  return isFault(bytes) ? bytes : registrationOf(query, bytes);
}

function registrationOf(query: z.output<typeof uploadQuerySchema>, bytes: Uint8Array): object {
  const { name, version, description, sha256, operations, enabled, failOpen, mutating, ...limits } = query;
  return {
    metadata: {
      name: name ?? null,
      version: version ?? null,
      description: description ?? null,
      sha256: sha256 ?? null,
      limits,
    },
    wasmBinary: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    operations: operations?.split(',').map((operation) => operation.trim()) ?? null,
    enabled: enabled ?? null,
    failOpen: failOpen ?? null,
    mutating: mutating ?? null,
  };
}
