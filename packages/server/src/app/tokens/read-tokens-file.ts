import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { isFault, type Fault } from '../../kernel/fault.ts';
import { attempt } from '../../kernel/result.ts';
import type { TokenEntry } from '../../manage/access/token-store.ts';
import { checkConfig } from '../config/check-config.ts';

/** The list of tokens in `management.tokensFile`, held to the same schema as if it stood in the configuration. */
export async function readTokensFile(file: string): Promise<readonly TokenEntry[] | Fault> {
  const text = await attempt('PC_CONFIG_SYNTAX', 'cannot read `management.tokensFile`', () =>
    readFile(file, 'utf8'),
  );
  if (isFault(text)) return text;
  const list = await attempt('PC_CONFIG_SYNTAX', file, async (): Promise<unknown> =>
    // Without a quotation of the text.
    parse(text, { prettyErrors: false }),
  );
  if (isFault(list)) return list;
  const path = ['management', 'tokens'];
  const setting = { path, value: list, where: (): string => file };
  const checked = checkConfig({ settings: new Map([[path.join('.'), setting]]) });
  return isFault(checked) ? checked : checked.management.tokens;
}
