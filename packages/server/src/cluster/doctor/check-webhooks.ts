import { isFault } from '../../kernel/fault.ts';
import { registrationName } from '../registration/registration-options.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { endpointName } from './endpoint-name.ts';
import { error, ok, warning, type Finding } from './finding.ts';
import type { LiveWebhook } from './live-webhook.ts';
import { expectedWebhooks, ownWebhooks, registeredWebhooks } from './own-webhooks.ts';

const GATE_PATH =
  /^(?:\/admission)?\/(?:validate|mutate)$|^\/admission\/(?:fail|ignore)\/(?:validate|mutate)$|^\/admission\/(?:validate|mutate)\/[-a-z0-9.]+(?:\/[-a-z0-9.]+)?$/;
const RESTORE = 'delete the configuration; Portcullis registers it anew';

/** Are our configurations there, and do they, and others, call us as they should? */
export function checkWebhooks(facts: ClusterFacts): Finding[] {
  if (isFault(facts.webhooks)) {
    const { code, message, advice } = facts.webhooks;
    return [error('registration', `the webhook configurations cannot be read: ${message} (${code})`, advice)];
  }
  return [
    ...present(facts),
    ...registeredWebhooks(facts).flatMap((webhook) => elsewhere(webhook, facts)),
    ...ownWebhooks(facts).flatMap((webhook) => [
      ...pathOf(webhook),
      ...failureOf(webhook),
      ...timeoutOf(webhook, facts),
      ...foreign(webhook, facts),
    ]),
    ...sameNames(facts.webhooks),
    ...otherServers(facts.webhooks, facts),
  ];
}

function present(facts: ClusterFacts): Finding[] {
  const expected = expectedWebhooks(facts);
  const live = registeredWebhooks(facts);
  const findings: Finding[] = [];
  for (const { phase, name, path } of expected) {
    if (facts.isSwitchedOff === true) continue;
    if (live.some((webhook) => webhook.phase === phase && webhook.name === name)) continue;
    // Registered by hand, perhaps.
    if (ownWebhooks(facts).some((webhook) => webhook.phase === phase && webhook.path === path)) continue;
    findings.push(
      error(
        'registration',
        `the webhook \`${name}\` is not registered`,
        'check that the server runs and is ready, and its rights on webhook configurations',
      ),
    );
  }
  for (const { phase, name } of live) {
    if (expected.some((webhook) => webhook.phase === phase && webhook.name === name)) continue;
    findings.push(
      warning(
        'registration',
        `the webhook \`${name}\` is registered although no policy needs it`,
        'delete it; if it comes back, the server has other policies than this command was given',
      ),
    );
  }
  const count = expected.length;
  if (findings.length === 0 && count > 0 && facts.isSwitchedOff !== true) {
    return [ok('registration', `${count} webhook${count === 1 ? ' is' : 's are'} registered`)];
  }
  return findings;
}

/** Ours by name, and calls somebody else. */
function elsewhere({ name, endpoint }: LiveWebhook, { options }: ClusterFacts): Finding[] {
  const own = endpointName(options.endpoint);
  const called = endpoint === undefined ? 'nobody' : endpointName(endpoint);
  if (called === own) return [];
  return [error('webhooks', `the webhook \`${name}\` calls ${called} instead of ${own}`, RESTORE)];
}

function pathOf({ name, path, configuration }: LiveWebhook): Finding[] {
  if (GATE_PATH.test(path)) return [];
  return [
    error(
      'webhooks',
      `the webhook \`${name}\` of \`${configuration}\` calls the path \`${path}\`, which the gate does not serve`,
      'use the paths that `portcullis manifests` prints',
    ),
  ];
}

function failureOf({ name, path, failurePolicy }: LiveWebhook): Finding[] {
  if (path.startsWith('/admission/ignore/') && failurePolicy === 'Fail') {
    return [
      error(
        'webhooks',
        `the webhook \`${name}\` has failurePolicy Fail, so policies that never deny block requests while the server is down`,
        'set its failurePolicy to Ignore',
      ),
    ];
  }
  if (path.startsWith('/admission/fail/') && failurePolicy === 'Ignore') {
    return [
      warning(
        'webhooks',
        `the webhook \`${name}\` has failurePolicy Ignore, so enforced policies are skipped while the server is down`,
        'set its failurePolicy to Fail, or that of the policies to Ignore',
      ),
    ];
  }
  return [];
}

function timeoutOf({ name, path, phase, timeoutSeconds }: LiveWebhook, facts: ClusterFacts): Finding[] {
  const needed = Math.max(
    0,
    ...expectedWebhooks(facts)
      .filter((webhook) => webhook.phase === phase && webhook.path === path)
      .map((webhook) => webhook.timeoutSeconds),
  );
  if (timeoutSeconds >= needed) return [];
  return [
    warning(
      'webhooks',
      `API servers wait ${timeoutSeconds} s for the webhook \`${name}\`, and its policies may take ${needed} s`,
      `set its timeoutSeconds to ${needed}, or lower \`limits.timeout\` of the policies`,
    ),
  ];
}

/** Calls us from a configuration that is not ours: left over, or somebody's own. */
function foreign({ name, configuration }: LiveWebhook, { options }: ClusterFacts): Finding[] {
  if (configuration === registrationName(options)) return [];
  return [
    warning(
      'webhooks',
      `the webhook \`${name}\` of the configuration \`${configuration}\` calls us too`,
      'delete that configuration if it is left over: each request is judged twice, and it stays when Portcullis is removed',
    ),
  ];
}

/** An API server files audit annotations under the name of the webhook, and keeps one value for each. */
function sameNames(webhooks: readonly LiveWebhook[]): Finding[] {
  const groups = Map.groupBy(webhooks, ({ phase, name }) => `${phase} ${name}`);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined || same.length < 2) return [];
    const where = same.map(({ configuration }) => `\`${configuration}\``).join(' and ');
    return [
      warning(
        'webhooks',
        `${where} both have a webhook \`${first.name}\`: of their audit annotations only the first is kept`,
        'rename one of the two; servers that share a cluster need different names of registration',
      ),
    ];
  });
}

function otherServers(webhooks: readonly LiveWebhook[], { options }: ClusterFacts): Finding[] {
  const name = registrationName(options);
  const others = webhooks
    .filter(({ configuration, managedBy }) => managedBy === 'portcullis' && configuration !== name)
    .map(({ configuration }) => configuration);
  return [...new Set(others)].map((other) =>
    ok('webhooks', `another Portcullis has the configuration \`${other}\` in this cluster`),
  );
}
