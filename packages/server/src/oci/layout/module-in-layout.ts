import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { parseManifest } from '../manifest.ts';
import { moduleEntry, moduleLayer } from '../policy-artifact.ts';
import type { Layout } from './read-layout.ts';

/** The module of an entry of an archive, by the rules for registries. */
export async function moduleInLayout(
  layout: Layout,
  descriptor: Descriptor,
  maxBytes: number,
): Promise<Uint8Array | Fault> {
  const bytes = await layout.blob(descriptor, maxBytes);
  if (isFault(bytes)) return bytes;
  const content = parseManifest(bytes, descriptor.mediaType);
  if (isFault(content)) return content;
  const next = content.kind === 'index' ? moduleEntry(content) : moduleLayer(content);
  if (isFault(next)) return next;
  // An index of indexes has no end of its own; the digests in it have: none contains itself.
  return content.kind === 'index' ? moduleInLayout(layout, next, maxBytes) : layout.blob(next, maxBytes);
}
