/** One challenge of `WWW-Authenticate`; scheme and names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*(?:,|$)`, 'y');
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?:\\s+|\\s*,|$)`, 'y');
/** Longer headers are not read. */
const MAX_HEADER = 8192;

/**
 * Reads the header as RFC 9110 (section 11.6.1) writes it: several challenges in one list, commas inside quotes. What cannot
 * be read ends the list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > MAX_HEADER) return challenges;
  let position = 0;
  while (position < header.length) {
    SCHEME.lastIndex = position;
    const scheme = SCHEME.exec(header)?.[1];
    if (scheme === undefined) break;
    position = SCHEME.lastIndex;
    const parameters: Record<string, string> = {};
    for (;;) {
      PARAMETER.lastIndex = position;
      const match = PARAMETER.exec(header);
      if (match === null) break;
      const [, name = '', quoted, plain = ''] = match;
      parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? plain;
      position = PARAMETER.lastIndex;
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
