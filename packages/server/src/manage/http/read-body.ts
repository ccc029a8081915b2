import { Fault, isFault } from '../../kernel/fault.ts';

/** The media type of a request in lower case, without parameters; `""` when it names none. */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** PC_BODY_TYPE unless the body is of one of these media types. */
export function checkMediaType(request: Request, allowed: readonly string[]): string | Fault {
  const given = mediaTypeOf(request);
  if (allowed.includes(given)) return given;
  const list = allowed.map((type) => `\`${type}\``).join(', ');
  const named =
    given === '' ? 'the body has no content type' : `the content type is \`${given.slice(0, 64)}\``;
  return new Fault('PC_BODY_TYPE', `${named}, send one of ${list}`);
}

/** The whole body; PC_BODY_SIZE as soon as it is larger than `limit` bytes, PC_BODY when it breaks off or is empty. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array | Fault> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) return tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > limit) return tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    return new Fault('PC_BODY', 'the body broke off', { cause: error });
  }
  return length === 0 ? new Fault('PC_BODY', 'the body is empty') : Buffer.concat(chunks);
}

export async function readText(request: Request, limit: number): Promise<string | Fault> {
  const bytes = await readBytes(request, limit);
  if (isFault(bytes)) return bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new Fault('PC_BODY', 'the body is not valid UTF-8');
  }
}

function tooLarge(limit: number): Fault {
  return new Fault('PC_BODY_SIZE', `the body is larger than ${limit} bytes`);
}
