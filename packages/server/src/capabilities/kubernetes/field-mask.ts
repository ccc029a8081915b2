/** Members of objects that are wanted, as a tree; a leaf is wanted whole. */
export type FieldMask = ReadonlyMap<string, FieldMask>;

/** Of dot paths. Where one path goes on after another ends, the shorter one wins. */
export function createFieldMask(paths: readonly string[]): FieldMask {
  const root = new Map<string, FieldMask>();
  for (const path of paths.toSorted((a, b) => a.length - b.length)) add(root, path.split('.'));
  return root;
}

function add(root: Map<string, FieldMask>, path: readonly string[]): void {
  let node = root;
  for (const [index, key] of path.entries()) {
    const known = node.get(key) as Map<string, FieldMask> | undefined;
    if (known?.size === 0) return;
    const next = known ?? new Map<string, FieldMask>();
    if (known === undefined) node.set(key, next);
    if (index < path.length - 1) node = next;
  }
}

/** A copy with the wanted members; lists are walked through, and keep their length. */
export function maskFields(value: unknown, mask: FieldMask): unknown {
  if (mask.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => maskFields(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  const kept: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const below = mask.get(key);
    if (below !== undefined) kept.push([key, maskFields(member, below)]);
  }
  return Object.fromEntries(kept);
}
