import { isFault, type Fault } from '../../kernel/fault.ts';
import type { Logger } from '../../kernel/ports.ts';
import { createTokenStore, type TokenEntry, type TokenStore } from '../../manage/access/token-store.ts';
import { readTokensFile } from './read-tokens-file.ts';

/** The tokens of the management API: those of the configuration, and those of a file that is followed. */
export interface TokenKeeper extends TokenStore {
  /** Starts to follow the file. */
  watch(): void;
  /** Looks at the file now. A file that cannot be used changes nothing, and is told once. */
  check(): Promise<void>;
  stop(): void;
}

export interface TokenKeeperOptions {
  readonly tokens: readonly TokenEntry[];
  readonly tokensFile?: string | undefined;
  readonly log: Logger;
  /** Milliseconds between two looks; the file is small, so it is read. */
  readonly interval?: number;
}

const INTERVAL = 3000;

/** The fault is that of a file that cannot be used at the start. */
export async function createTokenKeeper(options: TokenKeeperOptions): Promise<TokenKeeper | Fault> {
  const { tokens, tokensFile, log, interval = INTERVAL } = options;
  const first = tokensFile === undefined ? [] : await readTokensFile(tokensFile);
  if (isFault(first)) return first;
  let known = JSON.stringify(first);
  let store = createTokenStore([...tokens, ...first]);
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function check(): Promise<void> {
    if (tokensFile === undefined) return;
    const found = await readTokensFile(tokensFile);
    const text = isFault(found) ? found.message : undefined;
    const isNew = text !== problem;
    problem = text;
    if (isFault(found)) {
      const { code, message: reason } = found;
      if (isNew) log.log('error', 'the tokens file cannot be used; the last one counts', { code, reason });
      return;
    }
    const now = JSON.stringify(found);
    if (now === known) return;
    known = now;
    store = createTokenStore([...tokens, ...found]);
    log.log('info', 'new tokens', { names: found.map(({ name }) => name) });
  }

  return {
    find: (token) => store.find(token),
    check,
    watch() {
      timer = setInterval(() => void check(), interval).unref();
    },
    stop: () => clearInterval(timer),
  };
}
