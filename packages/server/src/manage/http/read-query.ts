import { z } from 'zod';
import { Fault } from '../../kernel/fault.ts';

/** A query parameter that is `true` or `false`. */
export const flag: z.ZodType<boolean, 'true' | 'false'> = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true');

/**
 * The query of a request by a schema whose members are described so that they follow `must be`. PC_QUERY names the parameter
 * that does not exist, stands twice or has a wrong value.
 */
export function readQuery<S extends z.ZodObject>(url: URL, schema: S): z.output<S> | Fault {
  const given: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (!Object.hasOwn(schema.shape, name)) {
      const known = Object.keys(schema.shape).map((key) => `\`${key}\``);
      return new Fault(
        'PC_QUERY',
        `there is no query parameter \`${short(name)}\`, there are ${known.join(', ')}`,
      );
    }
    if (Object.hasOwn(given, name)) return new Fault('PC_QUERY', `query parameter \`${name}\` stands twice`);
    given[name] = value;
  }
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const name = String(result.error.issues[0]?.path[0]);
  const member = schema.shape[name] as z.ZodType | undefined;
  const form = member?.description ?? 'given';
  return new Fault(
    'PC_QUERY',
    `query parameter \`${name}\` must be ${form}, not \`${short(given[name] ?? '')}\``,
  );
}

function short(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
