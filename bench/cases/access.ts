import { join } from 'node:path';
import { processorSeconds } from '../../e2e/support/process-usage.ts';
import { millis, percent, perSecond, type Figure } from '../figure.ts';
import type { RunningServer } from '../support/running-server.ts';
import { inTurns, median } from '../support/statistics.ts';
import type { Workbench } from '../support/workbench.ts';

const POLICIES = join(import.meta.dirname, '../../policies');
const ROUNDS = 3;
const CONNECTIONS = 8;
const ROUND_MS = 2000;

interface Sample {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of processor time per request, all threads of the server. */
  readonly cost: number;
}

interface Candidate {
  readonly name: string;
  readonly gate: 'authentication' | 'authorization';
  readonly spec: object;
  readonly review: object;
  readonly status: object;
  /** What every answer has to say. */
  readonly expected: string;
}

const AUTHENTICATOR = {
  module: { file: join(POLICIES, 'static-tokens-rust-wasi/static-tokens-rust-wasi.wasm') },
  settings: {
    tokens: [
      {
        // Of `desk-42`.
        sha256: '593f00870ca47cdf5e2dc545306947196c1c0e9e48e01bc1384bb80833ff64a9',
        user: { username: 'robot:desk', uid: '7', groups: ['desk', 'robots'] },
      },
    ],
  },
};
const AUTHORIZER = {
  module: { file: join(POLICIES, 'denied-verbs-go/denied-verbs-go.wasm') },
  settings: { rules: [{ group: 'contractors', verbs: ['delete'], resources: ['*'] }] },
  limits: { memory: '32Mi', fuel: 100_000_000 },
};

const AUDIENCES = ['https://kubernetes.default.svc'];
const TOKEN_REVIEW = {
  kind: 'TokenReview',
  apiVersion: 'authentication.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: { token: 'desk-42', audiences: AUDIENCES },
  status: { user: {} },
};
const ACCESS_REVIEW = {
  kind: 'SubjectAccessReview',
  apiVersion: 'authorization.k8s.io/v1',
  metadata: { creationTimestamp: null },
  spec: {
    resourceAttributes: {
      namespace: 'shop',
      verb: 'delete',
      version: 'v1',
      resource: 'pods',
      name: 'checkout',
    },
    user: 'carla',
    groups: ['contractors', 'system:authenticated'],
  },
  status: { allowed: false },
};
const NO_OPINION = { allowed: false };

const CANDIDATES: readonly Candidate[] = [
  {
    name: 'authentication, a function in Rust',
    gate: 'authentication',
    spec: AUTHENTICATOR,
    review: TOKEN_REVIEW,
    status: { authenticated: true, user: { username: 'robot:desk', uid: '7' }, audiences: AUDIENCES },
    expected: '"username":"robot:desk"',
  },
  {
    name: 'authorization, a command in Go',
    gate: 'authorization',
    spec: AUTHORIZER,
    review: ACCESS_REVIEW,
    status: {
      allowed: false,
      denied: true,
      reason: '[policy] members of contractors may not use delete on pods',
    },
    expected: '"denied":true',
  },
  {
    name: 'authorization, no policy concerned',
    gate: 'authorization',
    spec: { ...AUTHORIZER, match: { verbs: ['create'] } },
    review: ACCESS_REVIEW,
    status: NO_OPINION,
    expected: '"allowed":false',
  },
];

/** The gates that API servers ask who somebody is and what they may do; one gate thread with everything on, on one core. */
export async function access(bench: Workbench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const candidate of CANDIDATES) {
    figures.push(...(await figuresOf(candidate, bench)));
    await bench.tidy();
  }
  return figures;
}

async function figuresOf(candidate: Candidate, bench: Workbench): Promise<Figure[]> {
  const { name, gate, spec, review, status, expected } = candidate;
  const load = bench.loadGenerator('load');
  const policy = {
    apiVersion: 'portcullis.dev/v1',
    kind: 'Policy',
    metadata: { name: 'policy' },
    spec: { gate, engine: 'wasi', ...spec },
  };
  const servers = [
    await bench.portcullis({ threads: 1, policies: [policy], core: 'server' }),
    await bench.peer('bare-access-server', [JSON.stringify(status)]),
  ];
  const order = {
    path: `/${gate}`,
    body: JSON.stringify(review),
    connections: CONNECTIONS,
    duration: ROUND_MS,
    expected,
  };
  const drive = async ({ port, pid }: RunningServer): Promise<Sample> => {
    const before = processorSeconds(pid);
    const result = await load.run({ ...order, port });
    return { ...result, cost: ((processorSeconds(pid) - before) * 1e6) / result.requests };
  };
  // Once for each, so that the optimising compiler has seen everything.
  for (const server of servers) await drive(server);
  const [ours = [], bare = []] = await inTurns(
    ROUNDS,
    servers.map((server) => () => drive(server)),
  );
  const middle = (of: readonly Sample[], key: keyof Sample): number => median(of.map((one) => one[key]));
  const share = median(ours.map((one, round) => one.perSecond / (bare[round]?.perSecond ?? Number.NaN)));
  return [
    {
      name: `HTTPS, ${name}: share of a bare server without policy`,
      figure: percent(share),
      detail:
        `${perSecond(middle(ours, 'perSecond'))} of ${perSecond(middle(bare, 'perSecond'))}; ` +
        `processor time ${middle(ours, 'cost').toFixed(0)} µs, theirs ${middle(bare, 'cost').toFixed(0)} µs`,
    },
    {
      name: `the same: p99 with ${CONNECTIONS} reviews in flight`,
      figure: millis(middle(ours, 'p99')),
      detail: `p50 ${millis(middle(ours, 'p50'))}; theirs ${millis(middle(bare, 'p50'))} and ${millis(middle(bare, 'p99'))}`,
    },
  ];
}
