import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * A file that was written this recently (milliseconds) may be written again without a new time: times come in steps, of up to
 * two seconds in some file systems.
 */
const YOUNG = 2000;

/** What tells the states of a file apart: identity, size and both times. Undefined when there is no such file. */
export async function fileState(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info === undefined ? undefined : stateOf(info);
}

/** As {@link fileState}, but undefined too when the file is so young that its next state might look the same. `wall` is the time now. */
export async function settledState(path: string, wall: number): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  if (info === undefined || !info.isFile()) return undefined;
  const written = Math.max(Number(info.mtimeMs), Number(info.ctimeMs));
  return wall - written > YOUNG ? stateOf(info) : undefined;
}

function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
