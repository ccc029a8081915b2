import { violation } from './violation.ts';
import { findCycles, importsOf } from './import-graph.ts';

/** One line per broken rule: the edge with both files, or the cycle. */
export function findViolations(root: string, files: readonly string[]): readonly string[] {
  const imports = files.flatMap((file) => importsOf(root, file));
  const broken = imports.flatMap((edge) => {
    const why = violation(edge);
    return why === undefined ? [] : [`${edge.from}:${edge.line} imports ${edge.to}: ${why}`];
  });
  const cycles = findCycles(imports).map((cycle) => `import cycle: ${cycle.join(' -> ')}`);
  return [...broken, ...cycles];
}
