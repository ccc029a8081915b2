import type { JsonObject, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { jsonEqual } from '../../kernel/json/json-equal.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { KubeResource } from '../../kube/resource.ts';
import type { Reflect } from '../../sources/reflect.ts';
import { createBackOff } from './back-off.ts';
import { isInForce } from './in-force.ts';

export const FIELD_MANAGER = 'portcullis';

export interface KeeperOptions {
  readonly client: Pick<KubeClient, 'patch' | 'delete'>;
  readonly runtime: KubeRuntime;
  readonly reflect: Reflect;
  readonly resource: KubeResource;
  readonly name: string;
  /** Somebody else changed or deleted it, or made it again, and it is put right now. */
  readonly repaired: (what: 'changed' | 'deleted' | 'created', by: string | undefined) => void;
  /** The state is another now. */
  readonly changed: () => void;
}

export interface KeeperState {
  /** What is wanted is what the API server has. */
  readonly settled: boolean;
  readonly problem: Fault | undefined;
}

/** Keeps one object as it is wanted, from `start` to `stop`. */
export interface ConfigurationKeeper {
  start(): void;
  /** Leaves the object as it is. Resolves when nothing more is sent. */
  stop(): Promise<void>;
  /** From now on; undefined: the object must not be there. */
  want(document: JsonObject | undefined): void;
  state(): KeeperState;
}

/** After our own write the reflector is behind for a moment; what it says meanwhile is old. */
const ECHO_MS = 10_000;
/** A reflector tells nobody that it is refused. */
const UNSEEN_MS = 1000;
const REPAIRS = { first: 2000, most: 300_000, forget: 600_000 };
const FAILURES = { first: 1000, most: 60_000, forget: 120_000 };

interface Wish {
  readonly document: JsonObject | undefined;
  /** Once it was in force, any difference is somebody else's doing. */
  wasInForce: boolean;
  /** What the API server made of it, should it write more into it than we know. */
  stored?: JsonValue | undefined;
}

export function createConfigurationKeeper(options: KeeperOptions): ConfigurationKeeper {
  const { client, runtime, resource, name } = options;
  const target = { resource, name };
  const repairs = createBackOff(REPAIRS);
  const failures = createBackOff(FAILURES);
  const abort = new AbortController();
  const reflector = options.reflect<KubeObject>({
    resource,
    fieldSelector: `metadata.name=${name}`,
    project: (object) => object,
  });
  let wish: Wish | undefined;
  let problem: Fault | undefined;
  /** Our last write, until the reflector tells it: the object, or null for none. */
  let own: KubeObject | null | undefined;
  /** Versions that the reflector tells while we write. */
  let told: Set<string | undefined> | undefined;
  let work: Promise<void> | undefined;
  let again = false;
  let cancelTimer = (): void => undefined;
  let cancelEcho = (): void => undefined;

  reflector.subscribe((change) => {
    if (change.type === 'synced') {
      own = undefined;
      // What was refused may be granted again, as this list was.
      failures.reset();
    } else {
      const version = change.type === 'deleted' ? undefined : change.value.metadata.resourceVersion;
      told?.add(version);
      if (own !== undefined && version === own?.metadata.resourceVersion) own = undefined;
    }
    poke();
  });

  function live(): KubeObject | undefined {
    return own === undefined ? reflector.get(name) : (own ?? undefined);
  }

  function isAsWanted({ document, stored }: Wish, object: KubeObject | undefined): boolean {
    if (document === undefined) return object === undefined || asksNobody(object);
    if (object === undefined) return false;
    const json = object as unknown as JsonObject;
    return (
      isInForce(json, document) ||
      (stored !== undefined && jsonEqual(json['webhooks'] ?? null, stored) && isManaged(object))
    );
  }

  /** The reflector is refused, or cut off: what it holds may long be another. */
  function isBlind(): boolean {
    return reflector.state().problem !== undefined;
  }

  function isSettled(current: Wish): boolean {
    // Taken away without looking: it counts as gone until it is seen again.
    if (isBlind() && current.document === undefined) return current.wasInForce;
    return reflector.state().synced && isAsWanted(current, live());
  }

  function poke(): void {
    if (work !== undefined) again = true;
    else if (!abort.signal.aborted && wish !== undefined) {
      work = step(wish).finally(() => {
        work = undefined;
        options.changed();
        if (again) {
          again = false;
          poke();
        }
      });
    }
  }

  function pokeIn(milliseconds: number): void {
    cancelTimer();
    cancelTimer = runtime.after(milliseconds, poke);
  }

  async function step(current: Wish): Promise<void> {
    const state = reflector.state();
    // Nothing is written over what nobody has seen. Taking away does not wait for eyes: whoever switches us off needs it now.
    if (!state.synced && (current.document !== undefined || !isBlind())) {
      problem = state.problem;
      if (current.document === undefined) pokeIn(UNSEEN_MS);
      return;
    }
    const now = runtime.clock.now();
    const object = live();
    if (isSettled(current)) {
      current.wasInForce = true;
      problem = undefined;
      failures.reset();
      return;
    }
    const isRepair = current.wasInForce && !isBlind();
    const wait = Math.max(failures.wait(now), isRepair ? repairs.wait(now) : 0);
    if (wait > 0) {
      if (isRepair) problem = contested(resource, name);
      pokeIn(wait);
      return;
    }
    if (isRepair) {
      repairs.made(now);
      current.wasInForce = false;
      options.repaired(whatHappened(current, object), managerOf(object));
    }
    await write(current, object, now);
  }

  async function write(current: Wish, object: KubeObject | undefined, now: number): Promise<void> {
    const seen = new Set<string | undefined>();
    told = seen;
    const written =
      current.document === undefined ? await remove(object) : await apply(current.document, object);
    told = undefined;
    if (isFault(written)) {
      if (abort.signal.aborted) return;
      problem = written;
      failures.made(now);
      pokeIn(failures.wait(now));
      return;
    }
    problem = undefined;
    failures.reset();
    current.wasInForce = true;
    if (written !== null) current.stored = (written as unknown as JsonObject)['webhooks'];
    const version = written?.metadata.resourceVersion;
    const isTold = seen.has(version) || reflector.get(name)?.metadata.resourceVersion === version;
    own = isTold ? undefined : written;
    if (isTold) return;
    // It may never tell this very version, when it lists again: then its word counts after a while.
    cancelEcho();
    cancelEcho = runtime.after(ECHO_MS, forgetOwn);
  }

  function forgetOwn(): void {
    // Not while it is deaf: what it told last is older than our write.
    if (isBlind()) cancelEcho = runtime.after(ECHO_MS, forgetOwn);
    else {
      own = undefined;
      poke();
    }
  }

  /** Only the one that was seen, where anything is: the next of that name may be harmless, and somebody's. */
  async function remove(before: KubeObject | undefined): Promise<null | Fault> {
    const uid = isBlind() ? undefined : before?.metadata.uid;
    const fault = await client.delete(target, { uid, signal: abort.signal });
    return fault === undefined || fault.code === 'PC_KUBE_NOT_FOUND' ? null : fault;
  }

  /** What others added is not ours, so applying leaves it there: then the whole list is replaced. */
  async function apply(document: JsonObject, before: KubeObject | undefined): Promise<KubeObject | Fault> {
    const by = { fieldManager: FIELD_MANAGER, signal: abort.signal };
    const applied = await client.patch(target, { type: 'apply', body: document }, { ...by, force: true });
    if (isFault(applied) || before === undefined) return applied;
    if (isInForce(applied as unknown as JsonObject, document)) return applied;
    const body = [
      { op: 'test', path: '/metadata/resourceVersion', value: applied.metadata.resourceVersion },
      { op: 'replace', path: '/webhooks', value: document['webhooks'] },
    ];
    return client.patch(target, { type: 'json', body }, by);
  }

  return {
    start: () => reflector.start(),
    async stop() {
      abort.abort();
      await Promise.all([reflector.stop(), work]);
      cancelTimer();
      cancelEcho();
    },
    want(document) {
      const isSame =
        wish !== undefined &&
        (wish.document === undefined || document === undefined
          ? wish.document === document
          : jsonEqual(wish.document, document));
      // What failed before says nothing about now: somebody did something, and the switch must not wait.
      failures.reset();
      if (!isSame) wish = { document, wasInForce: false };
      poke();
    },
    state: () => ({
      settled: wish !== undefined && isSettled(wish),
      problem: problem ?? reflector.state().problem,
    }),
  };
}

function whatHappened({ document }: Wish, object: KubeObject | undefined): 'changed' | 'deleted' | 'created' {
  if (document === undefined) return 'created';
  return object === undefined ? 'deleted' : 'changed';
}

function contested({ kind }: KubeResource, name: string): Fault {
  return new Fault('PC_REGISTRATION_CONTESTED', `somebody keeps changing ${kind} \`${name}\``, {
    data: { kind, name },
  });
}

/** Nothing is registered by it; Helm puts such a one in the place of ours before it deletes that too. */
function asksNobody(object: KubeObject): boolean {
  const webhooks = object['webhooks'];
  return webhooks === undefined || (Array.isArray(webhooks) && webhooks.length === 0);
}

function isManaged({ metadata }: KubeObject): boolean {
  return metadata.labels?.['app.kubernetes.io/managed-by'] === 'portcullis';
}

/** Who wrote last, other than we, as the API server noted it. */
function managerOf(object: KubeObject | undefined): string | undefined {
  const entries = object?.metadata['managedFields'];
  if (!Array.isArray(entries)) return undefined;
  const others = (entries as readonly { manager?: unknown; time?: unknown }[])
    .filter(({ manager }) => typeof manager === 'string' && manager !== FIELD_MANAGER)
    .sort((a, b) => String(a.time).localeCompare(String(b.time)));
  const last = others.at(-1)?.manager;
  return typeof last === 'string' ? last : undefined;
}
