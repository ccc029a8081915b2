import type { JsonValue } from '@portcullis/contract';
import { z } from 'zod';
import type { CapabilityName, CapabilityRequest } from '../engines/host-capabilities.ts';
import { Fault, isFault } from '../kernel/fault.ts';
import { stringifyExact } from '../kernel/json/json-document.ts';
import { parseJson } from '../kernel/json/parse-json.ts';

/** Answers one capability with JSON. It may go on after the deadline of who asks, for others who ask the same. */
export type Provider = (request: CapabilityRequest) => Promise<Uint8Array | Fault>;

export type Providers = Readonly<Partial<Record<CapabilityName, Provider>>>;

export interface Asking {
  readonly policy: string;
  readonly deadline: number;
}

/** What a provider answers: JSON text that is there already, or a value that becomes it. */
export type Answer = Uint8Array | { readonly json: JsonValue } | Fault;

/** A provider of what one schema reads; anything else is PC_CAPABILITY_INPUT, which says what was wrong where. */
export function provide<T>(
  schema: z.ZodType<T>,
  answer: (input: T, asking: Asking) => Promise<Answer> | Answer,
): Provider {
  return async ({ capability, payload, policy, deadline }) => {
    const input = readInput(capability, payload, schema);
    if (isFault(input)) return input;
    const answered = await answer(input.value, { policy, deadline });
    if (isFault(answered) || answered instanceof Uint8Array) return answered;
    return Buffer.from(stringifyExact(answered.json));
  };
}

/** For what this server is not configured to do. */
export function unavailable(names: readonly CapabilityName[], why: string): Providers {
  const refuse: Provider = ({ capability }) =>
    Promise.resolve(
      new Fault('PC_CAPABILITY_UNAVAILABLE', `\`${capability}\` cannot be asked of this server: ${why}`),
    );
  return Object.fromEntries(names.map((name) => [name, refuse]));
}

function readInput<T>(
  capability: CapabilityName,
  payload: Uint8Array,
  schema: z.ZodType<T>,
): { readonly value: T } | Fault {
  const refuse = (why: string): Fault =>
    new Fault('PC_CAPABILITY_INPUT', `the request for \`${capability}\` cannot be read: ${why}`);
  const parsed = parseJson(payload);
  if (isFault(parsed)) return refuse(`not JSON: ${parsed.message}`);
  const read = schema.safeParse(parsed);
  if (read.success) return { value: read.data };
  const [issue] = read.error.issues;
  const path = issue?.path.join('.') ?? '';
  return refuse(`${path === '' ? '' : `\`${path}\`: `}${issue?.message ?? 'it has another form'}`);
}

/** What guests in languages with optional types leave out in either way. */
export function optional<T>(schema: z.ZodType<T>): z.ZodType<T | undefined> {
  return schema
    .nullable()
    .optional()
    .transform((value) => value ?? undefined);
}
