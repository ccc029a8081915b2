/** Which members of a document are wanted, as a tree that a scanner walks along with the bytes. */
export interface JsonShape<Name extends string = string> {
  readonly root: ShapeNode;
  /** Where the range of each wanted member stands in a scan's `ranges`: its start there, its end in the next element. */
  readonly slots: Readonly<Record<Name, number>>;
  readonly size: number;
}

export interface ShapeNode {
  /** -1 when only something below is wanted. */
  slot: number;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly children: ShapeNode[];
}

/** Paths are lists of object keys parted by `/`, without escapes and without array indexes: `request/object`. */
export function createJsonShape<const Name extends string>(
  paths: Readonly<Record<Name, string>>,
): JsonShape<Name> {
  const root = createNode('');
  const slots: Record<string, number> = {};
  let size = 0;
  for (const [name, path] of Object.entries<string>(paths)) {
    let node = root;
    for (const key of path.split('/')) {
      let child = node.children.find((candidate) => candidate.key === key);
      if (child === undefined) {
        child = createNode(key);
        node.children.push(child);
      }
      node = child;
    }
    if (node.slot !== -1) throw new TypeError(`two names for path \`${path}\``);
    node.slot = size;
    slots[name] = size;
    size += 2;
  }
  return { root, slots: slots as Record<Name, number>, size };
}

function createNode(key: string): ShapeNode {
  return { slot: -1, key, bytes: Buffer.from(key), children: [] };
}
