import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { locateModule, type LocatedModule } from '../../oci/policy-artifact.ts';
import { formatReference, parseArtifactReference, pinned, type OciReference } from '../../oci/reference.ts';
import { programsOf } from '../../policy/programs-of.ts';
import { noModuleCache, type ModuleCache } from '../module-cache.ts';
import type { ModuleSource } from '../source.ts';
import { createAbsences } from './absences.ts';
import { dueAfter } from './due-after.ts';
import { cachedContent, keptContent } from './module-content.ts';

export interface OciModuleSourceOptions {
  readonly client: OciClient;
  readonly runtime: Runtime;
  readonly maxModuleBytes: number;
  /** Milliseconds between two looks at a tag; 0: only when everything is loaded anew. */
  readonly refresh: number;
  /** What was downloaded before; nothing when absent. */
  readonly cache?: ModuleCache;
  /** Milliseconds that a registry has for its first answer about a tag which the cache knows; default: the client's. */
  readonly patience?: number;
}

/**
 * Modules in registries. A tag is followed in the background: what it moves to is downloaded first and told then, so that a
 * registry that is away changes nothing but the notes of its policies. A digest is fetched once, and not even that when the cache
 * has it. What the cache knows of a tag is used only when the registry cannot be reached, and never against its word: a tag that
 * it refuses, or does not have, is refused.
 */
export interface OciModuleSource extends ModuleSource {
  /** Follows tags from now on; calls back when a module has changed, or came at last. */
  watch(changed: () => void): () => void;
  /** Looks at everything that is followed, now. */
  refresh(): Promise<void>;
  /** Forgets what was not asked for since the last call. */
  sweep(): void;
  /** What is to be said of the modules of a policy that is in force: that they could not be checked. */
  notes(policy: Policy): readonly string[];
}

interface Followed {
  readonly text: string;
  readonly reference: OciReference;
  located?: LocatedModule;
  /** Downloaded with the look that found it, until somebody takes it. */
  held?: Uint8Array;
  /** It was located in the cache, and the registry has not been heard since. */
  isKept?: true;
  problem?: { readonly fault: Fault; readonly since: number };
  failures: number;
  /** When the next look is due, on the axis of the clock. */
  due: number;
  asked: boolean;
  look?: Promise<void>;
}

/** Looks at a time; registries throttle. */
const MAX_LOOKS = 4;

export function createOciModuleSource(options: OciModuleSourceOptions): OciModuleSource {
  const { client, maxModuleBytes, refresh, runtime, cache = noModuleCache } = options;
  const { clock, log } = runtime;
  const content = cachedContent(client, cache, maxModuleBytes);
  const kept = keptContent(cache, maxModuleBytes);
  const absences = createAbsences(clock);
  const followed = new Map<string, Followed>();
  const listeners = new Set<() => void>();
  let cancel: (() => void) | undefined;

  function follow(text: string): Followed | Fault {
    const known = followed.get(text);
    if (known !== undefined) {
      known.asked = true;
      return known;
    }
    const reference = parseArtifactReference(text);
    if (isFault(reference)) return reference;
    const made = { text, reference, failures: 0, due: Infinity, asked: true };
    followed.set(text, made);
    return made;
  }

  /** Shared by all who ask meanwhile. */
  function look(entry: Followed): Promise<void> {
    entry.look ??= lookAt(entry).finally(() => {
      delete entry.look;
      schedule();
    });
    return entry.look;
  }

  async function lookAt(entry: Followed): Promise<void> {
    const isFirst = entry.located === undefined && entry.problem === undefined;
    const digest = isFirst ? await recall(entry) : undefined;
    const found = await find(entry, digest);
    if (isFault(found)) {
      if (digest !== undefined && absences.isAbsence(found)) await useKept(entry, digest);
      fail(entry, found);
    } else await succeed(entry, found);
    entry.due = clock.now() + dueAfter(entry, refresh, runtime.random());
  }

  /** What the tag stood for when it was last looked at. A digest decides when there is one too. */
  async function recall({ reference }: Followed): Promise<string | undefined> {
    return reference.digest === undefined ? cache.recall(formatReference(reference)) : undefined;
  }

  async function useKept(entry: Followed, digest: string): Promise<void> {
    const reference = pinned(entry.reference, digest);
    const located = await locateModule(kept, reference);
    if (isFault(located)) return;
    const bytes = await kept.bytes(reference, located.layer);
    if (isFault(bytes)) return;
    entry.located = located;
    entry.held = bytes;
    entry.isKept = true;
  }

  function fail(entry: Followed, fault: Fault): void {
    const { text, problem, isKept } = entry;
    entry.failures += 1;
    entry.problem = { fault, since: problem?.since ?? clock.wall() };
    if (problem !== undefined && absences.isAbsence(problem.fault) === absences.isAbsence(fault)) return;
    const fields = { reference: text, code: fault.code, reason: fault.message };
    const what =
      isKept === true && absences.isAbsence(fault)
        ? 'a module comes from the cache: its registry is away'
        : 'a module cannot be fetched from its registry';
    log.log('warn', what, fields);
  }

  async function succeed(entry: Followed, found: LocatedModule): Promise<void> {
    const { text, located, problem, reference } = entry;
    const isNew = located?.layer.digest !== found.layer.digest;
    entry.located = found;
    entry.failures = 0;
    delete entry.problem;
    delete entry.isKept;
    if (reference.digest === undefined) await cache.remember(formatReference(reference), found.digest);
    const fields = { reference: text, digest: found.digest };
    if (problem !== undefined) log.log('info', 'a module can be fetched from its registry again', fields);
    if (!isNew || (located === undefined && problem === undefined)) return;
    if (located !== undefined) log.log('info', 'a tag has moved', fields);
    for (const listener of listeners) listener();
  }

  /** Where the reference leads now; the bytes of what is new are there when it answers. `recalled`: it can do without. */
  async function find(entry: Followed, recalled: string | undefined): Promise<LocatedModule | Fault> {
    const { reference, located } = entry;
    const { patience } = options;
    if (located !== undefined) {
      const digest = await client.digest(reference);
      if (isFault(digest) || digest === located.digest) return isFault(digest) ? digest : located;
    }
    // What was away for one tag a moment ago is not waited for again for the next.
    const absence = recalled === undefined ? undefined : absences.of(reference.registry);
    if (absence !== undefined) return absence;
    const ask = recalled === undefined || patience === undefined ? {} : { timeout: patience };
    const found = await locateModule(content, reference, ask);
    if (isFault(found)) absences.note(reference.registry, found);
    if (isFault(found) || found.layer.digest === located?.layer.digest) return found;
    const bytes = await content.bytes(reference, found.layer);
    if (isFault(bytes)) return bytes;
    entry.held = bytes;
    return found;
  }

  async function take(entry: Followed): Promise<Uint8Array | Fault> {
    // What has never been found is looked for again by the clock, not by whoever asks: a reload does not wait for the dead.
    if (entry.located === undefined && entry.problem === undefined) await look(entry);
    const { located, held, problem } = entry;
    if (located === undefined) {
      return problem?.fault ?? new Fault('PC_MODULE_MISSING', `\`${entry.text}\` was not found`);
    }
    delete entry.held;
    return held ?? content.bytes(entry.reference, located.layer);
  }

  /** Everything that finding it again without the registry needs. */
  function tellUse({ reference, located }: Followed): void {
    if (located === undefined) return;
    for (const digest of [reference.digest, located.digest, located.layer.digest]) {
      if (digest !== undefined) cache.used(digest);
    }
  }

  function schedule(): void {
    cancel?.();
    cancel = undefined;
    if (listeners.size === 0) return;
    const next = Math.min(...Array.from(followed.values(), ({ due, look: busy }) => (busy ? Infinity : due)));
    if (next === Infinity) return;
    cancel = runtime.after(Math.max(next - clock.now(), 0), lookAtDue);
  }

  function lookAtDue(): void {
    const idle = [...followed.values()].filter((entry) => entry.look === undefined);
    const busy = followed.size - idle.length;
    const due = idle.filter((entry) => entry.due <= clock.now());
    for (const entry of due.slice(0, Math.max(MAX_LOOKS - busy, 0))) void look(entry);
    // The end of a look asks for the next ones.
    if (busy === 0 || due.length === 0) schedule();
  }

  return {
    place: 'oci',

    async version({ spec }) {
      const entry = follow(spec.module.oci ?? '');
      if (isFault(entry)) return undefined;
      if (entry.located === undefined && entry.problem === undefined) await look(entry);
      tellUse(entry);
      return entry.located?.layer.digest;
    },

    async fetch({ spec }) {
      const entry = follow(spec.module.oci ?? '');
      return isFault(entry) ? entry : take(entry);
    },

    watch(changed) {
      listeners.add(changed);
      schedule();
      return () => {
        listeners.delete(changed);
        schedule();
      };
    },

    async refresh() {
      await Promise.all(Array.from(followed.values(), look));
    },

    sweep() {
      for (const [text, entry] of followed) {
        if (!entry.asked) followed.delete(text);
        entry.asked = false;
      }
      schedule();
    },

    notes: (policy) =>
      programsOf(policy).flatMap(({ spec }) => {
        const { located, problem, text, isKept } = followed.get(spec.module.oci ?? '') ?? {};
        if (located === undefined || problem === undefined) return [];
        const since = new Date(problem.since).toISOString();
        const what =
          isKept === true
            ? `\`${located.digest}\` from the cache is in force`
            : `its module of \`${located.digest}\` stays`;
        return [`\`${text}\` could not be checked since ${since}, ${what}: ${problem.fault.message}`];
      }),
  };
}
