import type { Fault } from '../../kernel/fault.ts';
import type { KubeEvent } from '../../kube/events.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeRuntime } from '../../kube/kube-host.ts';
import type { Reflector } from '../../kube/reflector/reflector-types.ts';
import type { KubeResource } from '../../kube/resource.ts';
import type { Reflect } from '../../sources/reflect.ts';
import { createConfigurationKeeper, type ConfigurationKeeper } from './configuration-keeper.ts';
import {
  CONFIG_MAPS,
  MUTATING_CONFIGURATIONS,
  VALIDATING_CONFIGURATIONS,
} from './configuration-resources.ts';
import type { Registration, RegistrationNote } from './registration-options.ts';

/** While a ConfigMap of this name is in the server's namespace, no webhook is registered. */
export const KILL_SWITCH = 'portcullis-off';

export interface RegistrarOptions {
  readonly client: Pick<KubeClient, 'patch' | 'delete'>;
  readonly runtime: KubeRuntime;
  readonly reflect: Reflect;
  /** The server's own. */
  readonly namespace: string;
  /** Of both configurations. */
  readonly name: string;
  /** What the policies that are in force need; asked again at each `refresh`. */
  readonly describe: () => Registration;
  /** Resolves when the server has been ready for the first time: before, a webhook would only refuse. */
  readonly ready: () => Promise<void>;
  readonly recordEvent: (event: KubeEvent) => void;
}

/**
 * `off`: not the leader, nothing is done. `waiting`: for readiness, or to know what is there. `switched-off`: by the ConfigMap.
 */
export type RegistrarPhase = 'off' | 'waiting' | 'registered' | 'switched-off' | 'failing';

export interface RegistrarState {
  readonly state: RegistrarPhase;
  /** How often something that others did was put right, since the process began. */
  readonly repairs: number;
  readonly lastProblem: Fault | undefined;
  readonly notes: readonly RegistrationNote[];
}

/** Keeps the webhook configurations true. One replica at a time runs it: the owner of the lease. */
export interface Registrar {
  /** May follow a `stop`. */
  start(): void;
  /** Leaves the configurations as they are: another replica goes on, or the API server still asks us. */
  stop(): Promise<void>;
  /** The policies, or the authority of the certificate, changed. */
  refresh(): void;
  /** For uninstalling: stops, and deletes both. */
  remove(): Promise<Fault | undefined>;
  state(): RegistrarState;
}

interface Run {
  readonly validating: ConfigurationKeeper;
  readonly mutating: ConfigurationKeeper;
  readonly killSwitch: Reflector<true>;
  registration: Registration | undefined;
}

export function createRegistrar(options: RegistrarOptions): Registrar {
  const { client, runtime, reflect, namespace, name, describe } = options;
  const { log } = runtime;
  let run: Run | undefined;
  let repairs = 0;
  let shown: RegistrarPhase = 'off';

  function keeper(resource: KubeResource): ConfigurationKeeper {
    return createConfigurationKeeper({
      client,
      runtime,
      reflect,
      resource,
      name,
      repaired(what, by) {
        repairs += 1;
        const note = `somebody else ${what} it; Portcullis ${what === 'created' ? 'deletes' : 'restores'} it`;
        log.log('warn', `a webhook configuration was ${what} by somebody else and is put right`, {
          kind: resource.kind,
          name,
          ...(by === undefined ? {} : { manager: by }),
        });
        options.recordEvent({
          type: 'Warning',
          reason: 'WebhookConfigurationRepaired',
          action: 'Repair',
          note: by === undefined ? note : `${note} (field manager ${by})`,
          regarding: { apiVersion: 'admissionregistration.k8s.io/v1', kind: resource.kind, name },
        });
      },
      changed: tell,
    });
  }

  function update(current: Run): void {
    if (current !== run || !current.killSwitch.state().synced) return;
    // The switch works even while the server cannot become ready.
    const wanted = isOff(current) ? { notes: [] } : current.registration;
    if (wanted !== undefined) {
      current.validating.want(wanted.validating);
      current.mutating.want(wanted.mutating);
    }
    tell();
  }

  async function begin(current: Run): Promise<void> {
    await options.ready();
    current.registration = describe();
    update(current);
  }

  function isOff({ killSwitch }: Run): boolean {
    return killSwitch.get(`${namespace}/${KILL_SWITCH}`) !== undefined;
  }

  function phase(): RegistrarPhase {
    if (run === undefined) return 'off';
    const { validating, mutating, killSwitch, registration } = run;
    const states = [validating.state(), mutating.state()];
    if (killSwitch.state().problem !== undefined || states.some(({ problem }) => problem !== undefined)) {
      return 'failing';
    }
    if (!states.every(({ settled }) => settled)) return 'waiting';
    if (isOff(run)) return 'switched-off';
    return registration === undefined ? 'waiting' : 'registered';
  }

  function lastProblem(): Fault | undefined {
    if (run === undefined) return undefined;
    const { validating, mutating, killSwitch } = run;
    return validating.state().problem ?? mutating.state().problem ?? killSwitch.state().problem;
  }

  /** One line in the log for each phase that begins. */
  function tell(): void {
    const now = phase();
    if (now === shown) return;
    shown = now;
    const problem = lastProblem();
    log.log(
      now === 'failing' || now === 'switched-off' ? 'warn' : 'info',
      `registration of the webhooks: ${now}`,
      problem === undefined ? {} : { code: problem.code, reason: problem.message },
    );
  }

  async function stop(): Promise<void> {
    const current = run;
    if (current === undefined) return;
    run = undefined;
    await Promise.all([current.validating.stop(), current.mutating.stop(), current.killSwitch.stop()]);
    tell();
  }

  return {
    start() {
      if (run !== undefined) throw new TypeError('the registrar runs already');
      const current: Run = {
        validating: keeper(VALIDATING_CONFIGURATIONS),
        mutating: keeper(MUTATING_CONFIGURATIONS),
        killSwitch: reflect<true>({
          resource: CONFIG_MAPS,
          namespace,
          fieldSelector: `metadata.name=${KILL_SWITCH}`,
          project: () => true,
        }),
        registration: undefined,
      };
      run = current;
      current.killSwitch.subscribe(() => update(current));
      current.killSwitch.start();
      current.validating.start();
      current.mutating.start();
      void begin(current);
      tell();
    },
    stop,
    refresh() {
      if (run?.registration === undefined) return;
      run.registration = describe();
      update(run);
    },
    async remove() {
      await stop();
      const kinds = [VALIDATING_CONFIGURATIONS, MUTATING_CONFIGURATIONS];
      const faults = await Promise.all(kinds.map((resource) => client.delete({ resource, name })));
      return faults.find((fault) => fault !== undefined && fault.code !== 'PC_KUBE_NOT_FOUND');
    },
    state: () => ({
      state: phase(),
      repairs,
      lastProblem: lastProblem(),
      notes: run?.registration?.notes ?? [],
    }),
  };
}
