import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Policy } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import { attempt } from '../../kernel/result.ts';
import { describePolicy } from '../../policy/describe-policy.ts';
import { parsePolicies } from '../../policy/parse-policies.ts';
import { createFileMemory } from '../file-memory.ts';
import type { DocumentReading, DocumentSource } from '../source.ts';

/** Policies that came through the management API: one file each, so that they survive a restart and a kill. */
export interface PolicyStore extends DocumentSource {
  /** Durable when it resolves: written beside, synced, renamed. */
  put(policy: Policy): Promise<undefined | Fault>;
  /** Resolves to false when there was none. */
  remove(name: string): Promise<boolean | Fault>;
}

const SUFFIX = '.json';

/** `wall`: milliseconds since 1970. */
export function createPolicyStore(directory: string, wall?: () => number): PolicyStore {
  const folder = join(directory, 'policies');
  const pathOf = (name: string): string => join(folder, `${name}${SUFFIX}`);
  const memory = createFileMemory({
    ...(wall === undefined ? {} : { wall }),
    code: 'PC_STORAGE',
    what: 'cannot read',
    parse: (path, bytes) => parseStored(path, Buffer.from(bytes).toString('utf8')),
  });

  /** A folder that was never there is empty; one that was, and cannot be read or is not there any more, is not. */
  let wasThere = false;

  async function list(): Promise<readonly string[]> {
    try {
      const names = await readdir(folder);
      wasThere = true;
      return names;
    } catch (error) {
      if (!wasThere && error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  return {
    name: 'api',

    async read() {
      const names = await attempt('PC_STORAGE', `cannot read \`${folder}\``, list);
      // What is in it is not known, so none of it is gone.
      if (isFault(names)) return [{ container: folder, result: names }];
      const files = names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort();
      const read = await memory.read(files.map((file) => join(folder, file)));
      return read.map(({ path, answer }) => ({
        container: path,
        name: basename(path, SUFFIX),
        result: answer,
      }));
    },

    // Changes come through `put` and `remove` of this process, whose caller reloads.
    watch: () => () => undefined,

    put: (policy) =>
      attempt('PC_STORAGE', `cannot store the policy \`${policy.metadata.name}\``, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeDurably(pathOf(policy.metadata.name), stringifyExact(describePolicy(policy)));
        return undefined;
      }),

    remove: (name) =>
      attempt('PC_STORAGE', `cannot remove the policy \`${name}\``, async () => {
        const existed = (await list()).includes(`${name}${SUFFIX}`);
        if (existed) {
          await rm(pathOf(name));
          await syncFolder(folder);
        }
        return existed;
      }),
  };

  async function writeDurably(path: string, text: string): Promise<void> {
    const temporary = join(folder, `.${process.pid}.${Math.random().toString(36).slice(2)}`);
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      // On a full disk each try would make it fuller.
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parseStored(path: string, text: string): DocumentReading['result'] {
  const [document] = parsePolicies(text, { source: 'api', location: path });
  // A text without documents is one fault, so there is always a first one.
  return document?.result ?? new Fault('PC_STORAGE', `\`${path}\` holds no policy`);
}
