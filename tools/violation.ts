import type { Import } from './import-graph.ts';
import { ALONE, FAMILIES, LAYERS } from './layer-table.ts';

/** Why an import breaks the table; undefined when it does not. */
export function violation({ from, to }: Import): string | undefined {
  const [source, target] = [layerOf(from), layerOf(to)];
  if (source === undefined || target === undefined) return violationOfLoners(from, to);
  if (target.level > source.level) return `${source.item} is below ${target.item}`;
  if (target.level === source.level && target.item !== source.item) {
    return `${source.item} and ${target.item} are siblings, closed to each other`;
  }
  return violationOfFamilies(from, to);
}

function violationOfLoners(from: string, to: string): string | undefined {
  const loner = ALONE.find((folder) => from.startsWith(`${folder}/`) && !to.startsWith(`${folder}/`));
  if (loner !== undefined) return `${loner} stands alone`;
  const server = layerOf(from);
  return server !== undefined && layerOf(to) === undefined
    ? `${server.item} imports from outside of the layers`
    : undefined;
}

function violationOfFamilies(from: string, to: string): string | undefined {
  const family = FAMILIES.find((folder) => from.startsWith(`${folder}/`) && to.startsWith(`${folder}/`));
  if (family === undefined) return undefined;
  const [source, target] = [memberOf(family, from), memberOf(family, to)];
  if (target === undefined || source === target) return undefined;
  return source === undefined
    ? `what the members of ${family} share must not know one of them`
    : `members ${source} and ${target} of ${family} are closed to each other`;
}

function memberOf(family: string, file: string): string | undefined {
  const rest = file.slice(family.length + 1).split('/');
  return rest.length > 1 ? rest[0] : undefined;
}

function layerOf(file: string): { readonly level: number; readonly item: string } | undefined {
  for (const [level, items] of LAYERS.entries()) {
    const item = items.find((folder) => file.startsWith(`${folder}/`));
    if (item !== undefined) return { level, item };
  }
  return undefined;
}
