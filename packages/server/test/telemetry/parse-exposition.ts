/** One line of the exposition. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/gy;
const SUFFIXES = ['', '_bucket', '_sum', '_count'];

/** Prometheus text format 0.0.4, strictly: throws on whatever the format does not allow. */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ParsedFamily>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  let current: readonly [string, ParsedFamily] | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [mark, kind, name = '', ...rest] = line.split(' ');
    if (mark === '#' && kind === 'HELP') {
      if (helps.has(name)) throw new Error(`a second help: ${line}`);
      helps.set(name, rest.join(' '));
    } else if (mark === '#' && kind === 'TYPE') {
      if (families.has(name)) throw new Error(`a second type: ${line}`);
      current = [name, { type: rest.join(' '), help: helps.get(name) ?? '', samples: [] }];
      families.set(...current);
    } else {
      const sample = parseSample(line);
      const key = `${sample.name} ${[...sample.labels]
        .map((label) => JSON.stringify(label))
        .toSorted((a, b) => (a < b ? -1 : 1))
        .join()}`;
      if (seen.has(key)) throw new Error(`a second time: ${line}`);
      seen.add(key);
      if (current === undefined || !belongs(sample.name, current)) throw new Error(`in no family: ${line}`);
      current[1].samples.push(sample);
    }
  }
  return families;
}

function belongs(name: string, [family, { type }]: readonly [string, ParsedFamily]): boolean {
  if (type !== 'histogram') return name === family;
  return SUFFIXES.slice(1).some((suffix) => name === family + suffix);
}

function parseSample(line: string): ParsedSample {
  const [, name = '', list = '', text = ''] = SAMPLE.exec(line) ?? [];
  const value = text === '+Inf' ? Infinity : Number(text);
  if (name === '' || Number.isNaN(value)) throw new Error(`not a sample: ${line}`);
  const labels = new Map<string, string>();
  let read = 0;
  for (const [all, label = '', raw = ''] of list.matchAll(LABEL)) {
    labels.set(
      label,
      raw.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
    read += all.length;
  }
  if (read !== list.length) throw new Error(`labels that cannot be read: ${line}`);
  return { name, labels, value };
}
