import type { Figure } from '../figure.ts';

/** A Markdown table with aligned columns, so that it also reads well on a terminal. */
export function figureTable(figures: readonly Figure[]): string {
  const header = ['what', 'figure', 'target', 'met', 'measured'];
  const rows = figures.map(({ name, figure, target, met, detail }) => [
    name,
    figure,
    target ?? '',
    met === undefined ? '' : met ? 'yes' : 'no',
    detail ?? '',
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [header, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('');
}
