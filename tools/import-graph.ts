import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** Static, re-exporting, type-only and dynamic imports alike; a commented-out one counts, which errs on the safe side. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

const WORKSPACES: Readonly<Record<string, string>> = {
  '@portcullis/contract': 'packages/contract/src/index.ts',
  '@portcullis/sdk': 'packages/sdk/src/index.ts',
};

/** The imports of one file that lead to files of this repository; paths relative to its root. */
export function importsOf(root: string, file: string): readonly Import[] {
  return parseImports(file, readFileSync(join(root, file), 'utf8'));
}

export function parseImports(file: string, text: string): readonly Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(IMPORT)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const to = resolveSpecifier(file, specifier);
    if (to === undefined) continue;
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    found.push({ from: file, to, line });
  }
  return found;
}

function resolveSpecifier(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier));
  return WORKSPACES[specifier];
}

/** Each cycle once, as the files along it. */
export function findCycles(imports: readonly Import[]): readonly (readonly string[])[] {
  const edges = Map.groupBy(imports, ({ from }) => from);
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[][] = [];

  function visit(file: string, path: string[]): void {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, 'open');
    for (const { to } of edges.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, 'done');
  }

  for (const file of edges.keys()) visit(file, []);
  return cycles;
}
