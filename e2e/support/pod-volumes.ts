import { chmod, chown, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** File names and their bytes. */
export type VolumeFiles = Readonly<Record<string, Uint8Array>>;

export interface Ownership {
  readonly user: number;
  readonly group: number;
  /** Of each file. */
  readonly mode: number;
}

/**
 * Writes files as a kubelet does: into a folder of this moment, to which the link `..data` is swung in one step. Nothing
 * happens when they are what they were.
 */
export async function writeVolume(
  folder: string,
  files: VolumeFiles,
  { user, group, mode }: Ownership,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const old = (await readdir(folder)).filter((name) => /^\.\.\d/.test(name));
  const current = `..${Date.now()}`;
  await mkdir(join(folder, current));
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, current, name);
    await writeFile(path, bytes);
    await chmod(path, mode);
    await chown(path, user, group);
    await symlink(join('..data', name), join(folder, name)).catch(() => undefined);
  }
  await rm(join(folder, '..next'), { force: true });
  await symlink(current, join(folder, '..next'));
  await rename(join(folder, '..next'), join(folder, '..data'));
  for (const name of old) await rm(join(folder, name), { recursive: true });
}

/** An empty folder that a pod may write to. */
export async function makeScratch(folder: string, group: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chown(folder, 0, group);
  await chmod(folder, 0o2770);
}
