import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import type { ReviewInShort } from './plugin-input.ts';

/** A suite of `portcullis test`, read together with the policy that it is about. */
export interface TestSuite {
  readonly file: string;
  /** File of the policy's module. */
  readonly module: string;
  /** Engine of the policy; the harness of this package runs those of `plugin`. */
  readonly engine: string;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  /** Absent: a question of another gate, which `portcullis test` asks. */
  readonly review?: ReviewInShort;
  readonly settings: JsonValue;
  readonly phase: 'validate' | 'mutate';
  readonly expect: Expectation;
}

/** What is absent is not looked at. */
export interface Expectation {
  readonly allowed: boolean;
  readonly matched?: boolean;
  readonly message?: string;
  readonly reason?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly patched?: JsonObject;
  readonly fault?: string;
  readonly denied?: boolean;
  readonly user?: JsonObject;
  readonly audiences?: readonly string[];
  readonly error?: string;
}

/** Every key that a suite may have, by where. */
export const SUITE_KEYS = {
  suite: ['policy', 'settings', 'hostCalls', 'cases'],
  case: ['name', 'review', 'tokenReview', 'accessReview', 'file', 'settings', 'hostCalls', 'expect'],
  review: [
    'operation',
    'object',
    'oldObject',
    'namespace',
    'name',
    'userInfo',
    'dryRun',
    'resource',
    'subresource',
  ],
  expectation: [
    'allowed',
    'matched',
    'message',
    'reason',
    'warnings',
    'auditAnnotations',
    'patched',
    'fault',
    'denied',
    'user',
    'audiences',
    'error',
  ],
} as const;

/**
 * Reads a suite file, its policy and the files of its cases; `parseYaml` is a YAML parser of your choice. Throws an
 * `Error` that names the file for anything that cannot be used: a test with a mistake must not pass.
 */
export async function loadTestSuite(file: string, parseYaml: (text: string) => unknown): Promise<TestSuite> {
  const readYaml = async (path: string): Promise<JsonObject> => {
    const value: unknown = parseYaml(await readFile(path, 'utf8'));
    if (!isJsonObject(value)) throw new Error(`${path}: not an object`);
    return value;
  };
  const suite = checkKeys(await readYaml(file), 'suite', file);
  const policyFile = resolve(dirname(file), text(suite, 'policy', file));
  const spec = object(await readYaml(policyFile), 'spec', policyFile);
  const module = text(object(spec, 'module', policyFile), 'file', policyFile);
  const { cases } = suite;
  if (!Array.isArray(cases) || cases.length === 0) throw new Error(`${file}: \`cases\` must be a list`);

  return {
    file,
    module: resolve(dirname(policyFile), module),
    engine: typeof spec['engine'] === 'string' ? spec['engine'] : 'plugin',
    cases: await Promise.all(
      (cases as readonly JsonValue[]).map(async (value, index) => {
        const where = `${file}: case ${index + 1}`;
        const item = checkKeys(value, 'case', where);
        const expect = checkKeys(item['expect'], 'expectation', where);
        if (typeof expect['allowed'] !== 'boolean')
          throw new Error(`${where}: \`allowed\` must be true or false`);
        return {
          name: text(item, 'name', where),
          ...(await readReview(item, where, (path) => readYaml(resolve(dirname(file), path)))),
          settings: item['settings'] ?? suite['settings'] ?? spec['settings'] ?? {},
          phase: spec['phase'] === 'mutate' ? ('mutate' as const) : ('validate' as const),
          expect: expect as unknown as Expectation,
        };
      }),
    ),
  };
}

const QUESTIONS = ['review', 'tokenReview', 'accessReview', 'file'] as const;

async function readReview(
  item: JsonObject,
  where: string,
  read: (path: string) => Promise<JsonObject>,
): Promise<Pick<TestCase, 'review'>> {
  const asked = QUESTIONS.filter((key) => item[key] !== undefined);
  if (asked.length !== 1) throw new Error(`${where}: needs one of ${QUESTIONS.join(', ')}`);
  if (item['review'] !== undefined) return { review: atDelete(checkKeys(item['review'], 'review', where)) };
  if (item['file'] === undefined) return {};
  const document = await read(text(item, 'file', where));
  if (document['kind'] !== 'AdmissionReview') return { review: { object: document } };
  return { review: object(document, 'request', where) };
}

/** In short, the object of a DELETE is the one that is there. */
function atDelete(review: JsonObject): ReviewInShort {
  if (review['operation'] !== 'DELETE' || review['object'] === undefined) return review;
  const { object: subject, ...rest } = review;
  return { oldObject: subject, ...rest };
}

function checkKeys(value: JsonValue | undefined, kind: keyof typeof SUITE_KEYS, where: string): JsonObject {
  if (!isJsonObject(value)) throw new Error(`${where}: the ${kind} must be an object`);
  const known: readonly string[] = SUITE_KEYS[kind];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new Error(`${where}: unknown key \`${unknown}\`; there are ${known.join(', ')}`);
  }
  return value;
}

function text(value: JsonObject, key: string, where: string): string {
  const found = value[key];
  if (typeof found !== 'string') throw new Error(`${where}: \`${key}\` must be a string`);
  return found;
}

function object(value: JsonObject, key: string, where: string): JsonObject {
  const found = value[key];
  if (!isJsonObject(found)) throw new Error(`${where}: \`${key}\` must be an object`);
  return found;
}
