import { createRegexCache } from '../regex-cache.ts';
import type { Register } from '../register.ts';
import { CelFailure } from '../cel-failure.ts';

/**
 * What the library lacks of the CEL strings extension and of Kubernetes' regex library. Positions are UTF-16 units, as in the
 * library's own functions.
 */
export const registerStringFunctions: Register = (environment, meter) => {
  const regex = createRegexCache((units) => meter.charge(units));

  environment.registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
    if (index < 0n || index > BigInt(text.length)) throw new CelFailure('index out of range in charAt()');
    return text.charAt(Number(index));
  });
  environment.registerFunction('string.lowerAsciiOnly(): string', (text: string) =>
    rewritten(text, () => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  );
  environment.registerFunction('string.upperAsciiOnly(): string', (text: string) =>
    rewritten(text, () => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  );
  environment.registerFunction('string.reverse(): string', (text: string) =>
    rewritten(text, () => Array.from(text).toReversed().join('')),
  );
  environment.registerFunction(
    'string.replace(string, string): string',
    (text: string, from: string, to: string) => replace(text, from, to, -1n),
  );
  environment.registerFunction(
    'string.replace(string, string, int): string',
    (...[text, from, to, limit]: [string, string, string, bigint]) => replace(text, from, to, limit),
  );

  environment.registerFunction('string.matchesRe2(string): bool', (text: string, pattern: string) =>
    regex(pattern).test(text),
  );
  environment.registerFunction('matches(string, string): bool', (text: string, pattern: string) =>
    regex(pattern).test(text),
  );
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => regex(pattern).findAll(text, 1)[0] ?? '',
  );
  environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    regex(pattern).findAll(text, Infinity),
  );
  environment.registerFunction(
    'string.findAll(string, int): list<string>',
    (text: string, pattern: string, limit: bigint) =>
      regex(pattern).findAll(text, limit < 0n ? Infinity : Number(limit)),
  );

  /** Letter by letter, which takes far longer than to hand a text on. */
  function rewritten(text: string, rewrite: () => string): string {
    meter.charge(text.length >> 2);
    return rewrite();
  }

  /** `limit` below 0: every occurrence. The work is charged before it is done. */
  function replace(text: string, from: string, to: string, limit: bigint): string {
    meter.charge(text.length >> 4);
    const parts = text.split(from);
    const count = limit < 0n ? parts.length - 1 : Math.min(parts.length - 1, Number(limit));
    meter.charge((text.length + count * to.length) >> 6);
    return [parts.slice(0, count + 1).join(to), ...parts.slice(count + 1)].join(from);
  }
};
