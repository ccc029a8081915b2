import { isFault } from '../kernel/fault.ts';
import { isJsonObject } from '../kernel/json/json-equal.ts';
import { parseJson } from '../kernel/json/parse-json.ts';
import { readCustomSection } from '../wasm/decode/read-custom-section.ts';

/** Name of the custom section in which policies for Kubewarden say how they are run. */
export const METADATA_SECTION = 'io.kubewarden.metadata';

/** How its metadata say that a module is run; undefined when they do not, or cannot be read. */
export function executionModeOf(bytes: Uint8Array): string | undefined {
  const section = readCustomSection(bytes, METADATA_SECTION);
  if (section === undefined || isFault(section)) return undefined;
  const metadata = parseJson(section);
  const mode = isFault(metadata) || !isJsonObject(metadata) ? undefined : metadata['executionMode'];
  return typeof mode === 'string' ? mode : undefined;
}
