import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { JsonValue, Policy } from '@portcullis/contract';
import { parse } from 'yaml';
import type { RecordedCall } from '../../engines/recorded-capabilities.ts';
import { Fault, isFault } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import { attempt } from '../../kernel/result.ts';
import { isException } from '../../policy/parse-policies.ts';
import type { DocumentReading, DocumentSource } from '../../sources/source.ts';
import { computedCalls, replayCalls, type HostCalls } from '../offline/host-calls.ts';
import { createOfflineServer } from '../offline/offline-server.ts';
import { openPolicyFiles } from '../offline/policy-files.ts';
import { readInputs, type ReviewInput } from '../offline/read-inputs.ts';
import { readRecordedCalls, recordedCallOf } from '../offline/recorded-calls.ts';
import { reviewOfManifest, type RequestDetails } from '../offline/review-of-manifest.ts';
import { compareJudgement } from './compare-judgement.ts';
import { suiteSchema, type Suite, type SuiteCase } from './suite-schema.ts';

export interface CaseResult {
  readonly name: string;
  /** Empty: passed. */
  readonly failures: readonly string[];
  readonly durationMs: number;
}

export interface SuiteResult {
  readonly file: string;
  readonly cases: readonly CaseResult[];
}

export interface SuiteOptions {
  readonly log: Logger;
  /** The namespace that the server would run in. */
  readonly namespace: string;
}

/** Runs one suite file. A fault means that the file or its policy cannot be used, which is never a pass. */
export async function runSuite(file: string, options: SuiteOptions): Promise<SuiteResult | Fault> {
  const suite = await readSuite(file);
  if (isFault(suite)) return suite;
  const cases: CaseResult[] = [];
  for (const item of suite.cases) {
    const started = performance.now();
    const failures = await runCase({ ...options, suite, item, file });
    cases.push({ name: item.name, failures, durationMs: performance.now() - started });
  }
  return { file, cases };
}

async function readSuite(file: string): Promise<Suite | Fault> {
  const text = await attempt('PC_INPUT', `cannot read \`${file}\``, () => readFile(file, 'utf8'));
  if (isFault(text)) return text;
  try {
    const parsed = suiteSchema.safeParse(parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return new Fault(
      'PC_INPUT',
      `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a test suite'}`,
    );
  } catch (error) {
    return new Fault('PC_INPUT', `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface CaseRun extends SuiteOptions {
  readonly suite: Suite;
  readonly item: SuiteCase;
  readonly file: string;
}

async function runCase({ suite, item, file, log, namespace }: CaseRun): Promise<readonly string[]> {
  const settings = (item.settings ?? suite.settings) as JsonValue | undefined;
  const paths = [suite.policy].flat().map((path) => resolve(dirname(file), path));
  const { sources, modules } = await openPolicyFiles(paths, { namespace });
  const hostCalls = await hostCallsOf([item.hostCalls, suite.hostCalls], file, log);
  if (isFault(hostCalls)) return [hostCalls.message];
  const server = await createOfflineServer({
    capabilities: hostCalls.capabilities,
    sources: sources.map((source) => withSettings(source, settings)),
    modules,
    log,
  });
  try {
    const [problem] = server.report.problems;
    if (problem !== undefined) return [`the policy cannot be loaded: ${problem.fault.message}`];
    const [policy] = server.policies;
    if (policy === undefined) return [`\`${paths.join('`, `')}\` holds no policy`];
    const question = await readReview(item, file);
    if (isFault(question)) return [question.message];
    const judgement = await server.judge(question);
    if (isFault(judgement)) return [`${judgement.code}: ${judgement.message}`];
    return [
      ...hostCalls.missing.map(({ message }) => message),
      ...compareJudgement(judgement, item.expect, policy.metadata.name),
    ];
  } finally {
    server.close();
  }
}

/** Where a call is found in both, the first one counts. */
async function hostCallsOf(
  sources: readonly Suite['hostCalls'][],
  file: string,
  log: Logger,
): Promise<HostCalls | Fault> {
  const given = sources.filter((source) => source !== undefined);
  if (given.length === 0) return computedCalls(log);
  const calls: RecordedCall[] = [];
  for (const source of given) {
    const read =
      typeof source === 'string'
        ? await readRecordedCalls(resolve(dirname(file), source))
        : source.map(recordedCallOf);
    if (isFault(read)) return read;
    calls.push(...read);
  }
  return replayCalls(calls);
}

function withSettings(source: DocumentSource, settings: JsonValue | undefined): DocumentSource {
  if (settings === undefined) return source;
  return {
    ...source,
    read: async () => (await source.read()).map((reading) => configured(reading, settings)),
  };
}

function configured(reading: DocumentReading, settings: JsonValue): DocumentReading {
  const { result } = reading;
  if (isFault(result) || isException(result)) return reading;
  return { ...reading, result: configuredPolicy(result, settings) };
}

function configuredPolicy(policy: Policy, settings: JsonValue): Policy | Fault {
  if (policy.group === undefined) return { ...policy, spec: { ...policy.spec, settings } };
  return new Fault('PC_INPUT', '`settings` of a suite are of no use to a group: each member has its own');
}

type Question = Pick<ReviewInput, 'gate' | 'bytes'>;

const QUESTIONS = ['review', 'tokenReview', 'accessReview', 'file'] as const;

async function readReview(item: SuiteCase, file: string): Promise<Question | Fault> {
  const { review, tokenReview, accessReview } = item;
  if (QUESTIONS.filter((key) => item[key] !== undefined).length !== 1) {
    return new Fault('PC_INPUT', 'a case needs one of `review`, `tokenReview`, `accessReview` and `file`');
  }
  if (item.file !== undefined) return readFileReview(item.file, file);
  if (tokenReview !== undefined) return accessQuestion('authentication', 'TokenReview', tokenReview);
  if (accessReview !== undefined) return accessQuestion('authorization', 'SubjectAccessReview', accessReview);
  const { object, ...details } = review ?? {};
  const subject = (object ?? review?.oldObject ?? null) as JsonValue;
  const bytes = reviewOfManifest(subject, details as RequestDetails);
  return isFault(bytes) ? bytes : { gate: 'admission', bytes };
}

async function readFileReview(path: string, file: string): Promise<Question | Fault> {
  const inputs = await readInputs(join(dirname(file), path), {});
  const [input = new Fault('PC_INPUT', 'no document')] = inputs;
  if (inputs.length === 1 || isFault(input)) return input;
  return new Fault('PC_INPUT', `\`${path}\` holds ${inputs.length} documents; one is needed`);
}

function accessQuestion(gate: Question['gate'], kind: string, spec: object): Question {
  return { gate, bytes: Buffer.from(JSON.stringify({ apiVersion: `${gate}.k8s.io/v1`, kind, spec })) };
}
