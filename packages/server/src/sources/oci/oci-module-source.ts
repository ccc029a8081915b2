import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Runtime } from '../../kernel/ports.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { locateModule, type LocatedModule } from '../../oci/policy-artifact.ts';
import { parseArtifactReference, type OciReference } from '../../oci/reference.ts';
import { programsOf } from '../../policy/programs-of.ts';
import type { ModuleSource } from '../source.ts';
import { dueAfter } from './due-after.ts';

export interface OciModuleSourceOptions {
  readonly client: OciClient;
  readonly runtime: Runtime;
  readonly maxModuleBytes: number;
  /** Milliseconds between two looks at a tag; 0: only when everything is loaded anew. */
  readonly refresh: number;
}

/**
 * Modules in registries. A tag is followed in the background: what it moves to is downloaded first and told then, so that a
 * registry that is away changes nothing but the notes of its policies. A digest is fetched once.
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
  const { client, maxModuleBytes, refresh, runtime } = options;
  const { clock, log } = runtime;
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
    const found = await find(entry);
    if (isFault(found)) fail(entry, found);
    else succeed(entry, found);
    entry.due = clock.now() + dueAfter(entry, refresh, runtime.random());
  }

  function fail(entry: Followed, fault: Fault): void {
    const { text, problem } = entry;
    entry.failures += 1;
    entry.problem = { fault, since: problem?.since ?? clock.wall() };
    if (problem !== undefined) return;
    const fields = { reference: text, code: fault.code, reason: fault.message };
    log.log('warn', 'a module cannot be fetched from its registry', fields);
  }

  function succeed(entry: Followed, found: LocatedModule): void {
    const { text, located, problem } = entry;
    const isNew = located?.layer.digest !== found.layer.digest;
    entry.located = found;
    entry.failures = 0;
    delete entry.problem;
    const fields = { reference: text, digest: found.digest };
    if (problem !== undefined) log.log('info', 'a module can be fetched from its registry again', fields);
    if (!isNew || (located === undefined && problem === undefined)) return;
    if (located !== undefined) log.log('info', 'a tag has moved', fields);
    for (const listener of listeners) listener();
  }

  /** Where the reference leads now; the bytes of what is new are there when it answers. */
  async function find(entry: Followed): Promise<LocatedModule | Fault> {
    const { reference, located } = entry;
    if (located !== undefined) {
      const digest = await client.digest(reference);
      if (isFault(digest) || digest === located.digest) return isFault(digest) ? digest : located;
    }
    const found = await locateModule(client, reference);
    if (isFault(found) || found.layer.digest === located?.layer.digest) return found;
    const bytes = await client.blob(reference, found.layer, maxModuleBytes);
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
    return held ?? client.blob(entry.reference, located.layer, maxModuleBytes);
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

    notes(policy) {
      return programsOf(policy).flatMap(({ spec }) => {
        const { located, problem, text } = followed.get(spec.module.oci ?? '') ?? {};
        if (located === undefined || problem === undefined) return [];
        const since = new Date(problem.since).toISOString();
        return [
          `\`${text}\` could not be checked since ${since}, its module of \`${located.digest}\` stays: ${problem.fault.message}`,
        ];
      });
    },
  };
}
