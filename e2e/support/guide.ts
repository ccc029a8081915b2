/** A command of a guide and what is said about it. */
export interface GuideStep {
  /** Of the section. */
  readonly heading: string;
  /** Line of the page. */
  readonly line: number;
  readonly command: string;
  /** It ends with `# refused`: it has to fail. */
  readonly refused: boolean;
  /** Lines that its output has to have; `*` stands for anything. */
  readonly output: readonly string[];
}

export interface Guide {
  readonly steps: readonly GuideStep[];
  /** Blocks that begin with the comment `# NAME.yaml`. */
  readonly files: ReadonlyMap<string, string>;
}

const FENCE = /^```(\w*)$/;
const REFUSED = / # refused$/;

/**
 * Reads the fenced blocks of a page: each line of `sh` is a command, a block without a language is what the last command before
 * it prints, `yaml` with a name is a file, and `text` is for readers only. Throws for any other block.
 */
export function parseGuide(page: string): Guide {
  const lines = page.split('\n');
  const steps: GuideStep[] = [];
  const files = new Map<string, string>();
  let heading = '';
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (text.startsWith('## ')) heading = text.slice(3);
    const language = FENCE.exec(text)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', index + 1);
    const block = lines.slice(index + 1, end);
    const first = index + 2;
    index = end;
    if (language === 'sh') {
      for (const [offset, line] of block.entries()) {
        const command = line.replace(REFUSED, '');
        steps.push({ heading, line: first + offset, command, refused: REFUSED.test(line), output: [] });
      }
    } else if (language === '') {
      const last = steps.pop();
      if (last === undefined) throw new Error(`line ${first}: an output without a command`);
      steps.push({ ...last, output: block });
    } else if (language === 'yaml') {
      const name = /^# (\S+\.yaml)$/.exec(block[0] ?? '')?.[1];
      if (name === undefined) throw new Error(`line ${first}: a file without a name`);
      files.set(name, `${block.join('\n')}\n`);
    } else if (language !== 'text') throw new Error(`line ${first}: nobody knows what \`${language}\` is`);
  }
  return { steps, files };
}

/** Lines of the page that the output lacks. Blanks count as one. */
export function missingOutput({ output }: GuideStep, printed: string): readonly string[] {
  const plain = printed.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
  return output.filter((expected) => {
    const parts = expected.trim().replaceAll(/\s+/g, ' ').split('*');
    const pattern = new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('.*')}$`);
    return !plain.some((line) => pattern.test(line));
  });
}
