import { Fault } from '../../kernel/fault.ts';
import { BuiltinFailure, BuiltinLimit, type Builtin } from '../../rego/builtins/builtin.ts';
import { parseValue } from '../../rego/values/parse-value.ts';
import { printValue } from '../../rego/values/print-value.ts';
import type { RegoValue } from '../../rego/values/rego-value.ts';
import type { HostCall } from '../../wasm/host-interface.ts';
import { createBuiltinUse, FUEL, type BuiltinUse } from './builtin-use.ts';
import type { OpaCall } from './opa-call.ts';

/** Bytes of all arguments of a call together, and of its result: reading and writing them takes some 50 ms at most. */
const MAX_VALUE_BYTES = 1024 * 1024;
/** Bytes of the arguments, and of the result, of a call whose answer is remembered. */
const MAX_REMEMBERED = 256;

/**
 * The text of what a builtin gives for the arguments, which are texts at addresses with their lengths; undefined, or a fault that
 * ends the run.
 */
export function callBuiltin(
  call: HostCall<OpaCall>,
  id: number,
  places: readonly number[],
): Uint8Array | undefined | Fault {
  const builtin = call.context.description.builtins.get(id);
  if (builtin === undefined) return broken(`it calls builtin function ${id}, which it has not declared`);
  const texts = readTexts(call, places);
  if (texts === undefined)
    return broken('an argument of a builtin function is too large or not in its memory');
  // Texts have no NUL in them.
  const key = texts.length === 1 ? (texts[0] as string) : texts.join('\0');
  call.pay(key.length * FUEL.byte);
  const isShort = key.length <= MAX_REMEMBERED;
  const known = isShort ? builtin.answers.get(key) : undefined;
  if (known !== undefined) {
    call.pay(known.fuel);
    return known.text;
  }
  const use = createBuiltinUse(call);
  const text = answer(builtin.run, texts, use);
  if (text instanceof Fault) return text;
  if (isShort && use.isPure && (text?.length ?? 0) <= MAX_REMEMBERED)
    builtin.answers.set(key, { ...(text === undefined ? {} : { text }), fuel: use.fuel });
  return text;
}

/** A character for each byte: cheaper than to decode, and as good to tell texts apart. */
function readTexts({ memory }: HostCall<OpaCall>, places: readonly number[]): string[] | undefined {
  const texts: string[] = [];
  let left = MAX_VALUE_BYTES;
  for (let at = 0; at < places.length; at += 2) {
    const [address, length] = [places[at] as number, places[at + 1] as number];
    left -= length;
    const text = left < 0 ? undefined : memory.latin1(address, length);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

function answer(builtin: Builtin, texts: readonly string[], use: BuiltinUse): Uint8Array | undefined | Fault {
  const args: RegoValue[] = [];
  for (const text of texts) {
    const value = parseValue(Buffer.from(text, 'latin1').toString());
    if (value === undefined) return broken('an argument of a builtin function is no value');
    args.push(value);
  }
  const result = run(builtin, args, use);
  if (result === undefined || result instanceof Fault) return result;
  const text = Buffer.from(printValue(result));
  use.pay(text.length * FUEL.byte);
  return text.length <= MAX_VALUE_BYTES ? text : broken('the result of a builtin function is too large');
}

function run(
  builtin: Builtin,
  args: readonly RegoValue[],
  { context }: BuiltinUse,
): RegoValue | undefined | Fault {
  try {
    return builtin(args, context);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    if (error instanceof BuiltinLimit) return broken(error.message);
    // Values nested by the thousands.
    if (error instanceof RangeError)
      return broken('a builtin function got values that are nested too deeply');
    throw error;
  }
}

function broken(message: string): Fault {
  return new Fault('PC_OPA_BUILTIN', message);
}
