import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';
import { provide, type Provider } from '../provider.ts';
import { gatekeeperLayout, kindTexts, opaLayout, type KindTexts } from './inventory-text.ts';
import type { KindLookup } from './kind-lookup.ts';
import type { ObjectWatch } from './object-watch.ts';
import type { ObjectWatches } from './object-watches.ts';

export interface InventoryOptions {
  readonly kinds: KindLookup;
  readonly watches: ObjectWatches;
  readonly clock: Clock;
  /** Of all inventories that are kept. */
  readonly maxBytes: number;
}

const MAX_KINDS = 64;
const MAX_NAME = 4096;
const MAX_KEPT = 64;
/** Characters of an inventory: modules have to take it into their own memory, where it takes ten times as much. */
const MAX_CHARACTERS = 16 * 1024 ** 2;
/**
 * Bytes for each millisecond that a state stays when everything changes all the time: 100 KiB are new at most 160 times a second, 16 MiB
 * once. Modules read some 30 MB/s, so that reading takes no more than half of a core.
 */
const BYTES_PER_MS = 16 * 1024;

const LAYOUTS = { opa: opaLayout, gatekeeper: gatekeeperLayout };

const text = z.string().min(1).max(MAX_NAME);
const input = z.object({
  layout: z.enum(['opa', 'gatekeeper']),
  kinds: z
    .array(z.object({ apiVersion: text, kind: text }))
    .min(1)
    .max(MAX_KINDS),
});

type Input = z.output<typeof input>;

interface Kept {
  readonly watches: readonly ObjectWatch[];
  readonly revisions: readonly number[];
  readonly bytes: Uint8Array;
  readonly madeAt: number;
}

/**
 * `kubernetes/inventory`: all objects of some kinds as one document, the same bytes as long as nothing of it changes. They are shared
 * between threads and not copied.
 */
export function createInventories({ kinds, watches, clock, maxBytes }: InventoryOptions): Provider {
  const kept = new LRUCache<string, Kept>({
    max: MAX_KEPT,
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes.length + 1,
  });
  const texts = new WeakMap<ObjectWatch, KindTexts & { readonly revision: number }>();

  async function find(asked: Input, deadline: number): Promise<readonly KindWatch[] | Fault> {
    const found: KindWatch[] = [];
    const resources = await Promise.all(
      asked.kinds.map(({ apiVersion, kind }) => kinds.find(apiVersion, kind)),
    );
    for (const resource of resources) {
      if (isFault(resource)) return resource;
      const watch = watches.of(resource);
      if (isFault(watch)) return watch;
      found.push({ resource, watch });
    }
    // What is not known yet is no empty inventory.
    const problems = await Promise.all(found.map(({ watch }) => watch.ready(deadline)));
    return problems.find((problem) => problem !== undefined) ?? found;
  }

  function textsOf({ resource, watch }: KindWatch): KindTexts {
    const known = texts.get(watch);
    if (known?.revision === watch.revision) return known;
    const made = { ...kindTexts(resource, watch.items()), revision: watch.revision };
    texts.set(watch, made);
    return made;
  }

  function build({ layout }: Input, found: readonly KindWatch[]): Uint8Array | Fault {
    const all = found.map(textsOf);
    const length = all.reduce((sum, one) => sum + one.length, 0);
    if (length > MAX_CHARACTERS) {
      const names = found.map(({ watch }) => watch.name).join(', ');
      const most = MAX_CHARACTERS / 1024 ** 2;
      return new Fault('PC_CAPABILITY_SIZE', `all ${names} together are more than ${most} MiB`);
    }
    const written = LAYOUTS[layout](all);
    return isFault(written) ? written : shared(written);
  }

  return provide(input, async (asked, { deadline }) => {
    const found = await find(asked, deadline);
    if (isFault(found)) return found;
    const key = JSON.stringify(asked);
    const known = kept.get(key);
    if (known !== undefined && isCurrent(known, found, clock.now())) return known.bytes;
    const bytes = build(asked, found);
    if (isFault(bytes)) return bytes;
    const followed = found.map(({ watch }) => watch);
    const revisions = followed.map(({ revision }) => revision);
    kept.set(key, { watches: followed, revisions, bytes, madeAt: clock.now() });
    return bytes;
  });
}

interface KindWatch {
  readonly resource: KindTexts['resource'];
  readonly watch: ObjectWatch;
}

function isCurrent(
  { watches, revisions, bytes, madeAt }: Kept,
  found: readonly KindWatch[],
  now: number,
): boolean {
  if (!found.every(({ watch }, index) => watches[index] === watch)) return false;
  if (now - madeAt < bytes.length / BYTES_PER_MS) return true;
  return watches.every(({ revision }, index) => revisions[index] === revision);
}

function shared(written: string): Uint8Array {
  const bytes = Buffer.from(new SharedArrayBuffer(Buffer.byteLength(written)));
  bytes.write(written);
  return bytes;
}
