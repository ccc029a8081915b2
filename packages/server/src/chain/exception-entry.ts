import type { ExceptionStatus, PolicyException } from '@portcullis/contract';
import { Fault, isFault } from '../kernel/fault.ts';
import { createExceptionMatcher } from '../policy/exceptions/exception-matcher.ts';
import { isException } from '../policy/parse-policies.ts';
import type { DocumentReading } from '../sources/source.ts';
import { nameOfRefused } from './name-of-refused.ts';

/** One exception as it stands: what is in force, and what is wrong with the newest document. */
export interface ExceptionEntry {
  readonly name: string;
  readonly container: string;
  readonly exception?: PolicyException;
  readonly problem?: Fault;
}

export function concernsException({ result, kind }: DocumentReading): boolean {
  return isFault(result) ? kind === 'exception' : isException(result);
}

/** The exceptions of a reload, by name. A broken one leaves in force what it was before, as policies do. */
export function buildExceptions(
  readings: readonly DocumentReading[],
  before: readonly ExceptionEntry[],
): readonly ExceptionEntry[] {
  const built = new Map<string, ExceptionEntry>();
  for (const reading of readings) {
    if (!concernsException(reading)) continue;
    const entry = buildEntry(reading, before);
    if (!built.has(entry.name)) {
      built.set(entry.name, entry);
      continue;
    }
    const { container, name } = entry;
    const problem = new Fault(
      'PC_POLICY_DUPLICATE',
      `${container}: there is another exception named \`${name}\``,
    );
    const refused = nameOfRefused(name, container);
    built.set(refused, { name: refused, container, problem });
  }
  return [...built.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function buildEntry(
  { container, result, name: known }: DocumentReading,
  before: readonly ExceptionEntry[],
): ExceptionEntry {
  const name = isFault(result) ? (known ?? container) : result.metadata.name;
  const checked = check(result);
  if (!isFault(checked)) return { name, container, exception: checked };
  const last = before.find((entry) => entry.name === name && entry.container === container);
  return {
    name,
    container,
    ...(last?.exception === undefined ? {} : { exception: last.exception }),
    problem: checked,
  };
}

function check(result: DocumentReading['result']): PolicyException | Fault {
  if (isFault(result)) return result;
  if (!isException(result)) throw new TypeError(`\`${result.metadata.name}\` is no exception`);
  const matcher = createExceptionMatcher(result, { namespaceLabels: () => undefined });
  return isFault(matcher) ? matcher : result;
}

export function exceptionsInForce(entries: readonly ExceptionEntry[]): readonly PolicyException[] {
  return entries.flatMap(({ exception }) => (exception === undefined ? [] : [exception]));
}

/** Whether both put the same exceptions in force: an unchanged document is the same object. */
export function areSameExceptions(one: readonly ExceptionEntry[], other: readonly ExceptionEntry[]): boolean {
  return (
    one.length === other.length && one.every(({ exception }, index) => exception === other[index]?.exception)
  );
}

/** `now` in milliseconds since 1970. */
export function exceptionStatusOf(
  { name, container, exception, problem }: ExceptionEntry,
  now: number,
): ExceptionStatus {
  const expires = exception?.spec.expires;
  const isOver = expires !== undefined && expires !== 'never' && now >= expires;
  return {
    name,
    state: exception === undefined ? 'refused' : isOver ? 'expired' : 'active',
    origin: container,
    ...(exception === undefined ? {} : { policies: exception.spec.policies, reason: exception.spec.reason }),
    ...(expires === undefined ? {} : { expires }),
    ...(problem === undefined ? {} : { problem: { code: problem.code, message: problem.message } }),
  };
}
