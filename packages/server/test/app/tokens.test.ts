import { deepEqual, equal, ok } from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { createTokenKeeper, type TokenKeeper } from '../../src/app/tokens/token-keeper.ts';
import { isFault } from '../../src/kernel/fault.ts';
import { createToken, type TokenEntry } from '../../src/manage/access/token-store.ts';
import { createMemoryLog } from '../telemetry/memory-log.ts';
import { workDirectory } from './support/certificates.ts';

function tokenOf(name: string): { readonly text: string; readonly entry: TokenEntry } {
  const { token, sha256 } = createToken();
  return { text: token.reveal(), entry: { name, role: 'viewer', sha256 } };
}

describe('tokens', () => {
  const [own, first, second] = [tokenOf('own'), tokenOf('first'), tokenOf('second')];
  const log = createMemoryLog();

  async function keep(tokensFile: string): Promise<TokenKeeper> {
    const keeper = await createTokenKeeper({ tokens: [own.entry], tokensFile, log });
    ok(!isFault(keeper));
    return keeper;
  }

  const valid = (keeper: TokenKeeper): readonly (string | undefined)[] =>
    [own, first, second].map(({ text }) => keeper.find(text)?.name);

  test('the file is read again; one that cannot be used changes nothing and is told once', async () => {
    const tokensFile = join(await workDirectory(), 'tokens.yaml');
    await writeFile(tokensFile, stringify([first.entry]));
    const keeper = await keep(tokensFile);
    deepEqual(valid(keeper), ['own', 'first', undefined]);

    await writeFile(tokensFile, stringify([second.entry]));
    await keeper.check();
    deepEqual(valid(keeper), ['own', undefined, 'second']);

    const told = log.lines.length;
    for (const broken of ['- name: a\n  sha256: "hunter2\n', '', '[hunter2]']) {
      await writeFile(tokensFile, broken);
      await keeper.check();
      await keeper.check();
      deepEqual(valid(keeper), ['own', undefined, 'second']);
    }
    await rm(tokensFile);
    await keeper.check();
    deepEqual(valid(keeper), ['own', undefined, 'second']);
    equal(log.lines.length, told + 4);
    ok(!JSON.stringify(log.lines).includes('hunter2'));

    await writeFile(tokensFile, '[]');
    await keeper.check();
    deepEqual(valid(keeper), ['own', undefined, undefined]);
  });

  test('a file that cannot be used at the start is a fault that quotes nothing', async () => {
    const tokensFile = join(await workDirectory(), 'tokens.yaml');
    const tokens: readonly TokenEntry[] = [];
    for (const [text, message] of [
      ['[{name: x}]', 'must be `viewer` or `editor` or `admin`'],
      ['- name: a\n  sha256: "hunter2\n', 'Missing closing "quote'],
    ] as const) {
      await writeFile(tokensFile, text);
      const fault = await createTokenKeeper({ tokens, tokensFile, log });
      ok(isFault(fault) && fault.message.includes(message) && !fault.message.includes('hunter2'));
    }
  });
});
