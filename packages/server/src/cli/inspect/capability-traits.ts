import type { Trait } from '../../engines/engine.ts';
import { CAPABILITIES } from '../../engines/host-capabilities.ts';
import { SECTION } from '../../wasm/binary/sections.ts';
import type { DecodedModule } from '../../wasm/decode/decoded-module.ts';

/** Imports through which guests ask for more than their dialect gives. */
const HOST_CALLS: readonly (readonly [module: string, name: string])[] = [
  ['wapc', '__host_call'],
  ['host', 'call'],
  ['kubewarden:javy/host', 'call'],
];
/** The strings of most languages, and those of AssemblyScript. */
const ENCODINGS = ['utf8', 'utf16le'] as const;

/**
 * The capabilities whose names are among the constants of a module that calls its host. A name that is put together while it runs is
 * missed, and one that stands there may never be used: a hint of what to grant, not a grant.
 */
export function capabilityTraits({ bytes, info, sections }: DecodedModule): readonly Trait[] {
  const asks = info.imports.some(({ module, name }) =>
    HOST_CALLS.some(([from, wanted]) => from === module && wanted === name),
  );
  if (!asks) return [];
  const range = sections.find(({ id }) => id === SECTION.data);
  const data = Buffer.from(bytes.subarray(range?.start ?? 0, range?.end ?? 0));
  const named = CAPABILITIES.filter((capability) => {
    const slash = capability.indexOf('/');
    const words = [capability.slice(0, slash), capability.slice(slash + 1)];
    // Bytes, because a string of two bytes a character is looked for at even places only.
    return ENCODINGS.some((encoding) => words.every((word) => data.includes(Buffer.from(word, encoding))));
  });
  const line =
    named.length === 0
      ? 'it calls its host, and names nothing that would have to be granted'
      : `${named.join(', ')}, by the names in it: each has to be granted`;
  return [{ name: 'capabilities', value: [...named], lines: [line] }];
}
