import { Fault } from '../../kernel/fault.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Stands for an item in what is left of the list, so that parsing the rest checks the commas, too. */
const PLACEHOLDER = Buffer.from('0');
const FIRST_REST_BYTES = 4096;
/** Deeper than any key that matters here. */
const LONGEST_KEY = 16;
const MAX_REST_BYTES = 16 * 1024 ** 2;

/** Cuts `{"kind":"PodList","metadata":{…},"items":[{…},{…}]}` into its items while it arrives. */
export interface ItemSplitter {
  /** The fault of `onItem`, or of an item that is too long. */
  push(chunk: Buffer): Fault | undefined;
  /** The list, with 0 in place of each item; undefined when it was no well-formed list or is not complete. */
  end(): unknown;
}

/** Only the boundaries are found here; `onItem` gets the bytes of one item and parses them. */
export function createItemSplitter(
  maxItemBytes: number,
  onItem: (bytes: Buffer) => Fault | undefined,
): ItemSplitter {
  /** One for all: a buffer for each comma would be more than the items of a long list. */
  let rest = Buffer.alloc(FIRST_REST_BYTES);
  let restLength = 0;
  let item: Buffer[] = [];
  let itemLength = 0;
  let items = 0;

  let depth = 0;
  let inString = false;
  let isEscaped = false;
  let isInItems = false;
  let isInItem = false;
  /** The last string at depth 1, which is the key before a bracket. */
  let key = '';

  const keep = (bytes: Buffer): Fault | undefined => {
    if (isInItem) {
      item.push(bytes);
      itemLength += bytes.length;
      return itemLength > maxItemBytes ? tooLong('an item', maxItemBytes) : undefined;
    }
    const length = restLength + bytes.length;
    if (length > MAX_REST_BYTES) return tooLong('what is around the items', MAX_REST_BYTES);
    if (length > rest.length) rest = Buffer.concat([rest], length * 2);
    bytes.copy(rest, restLength);
    restLength = length;
    return undefined;
  };
  const beginItem = (): undefined => {
    isInItem = true;
  };
  const finishItem = (): Fault | undefined => {
    const bytes = item.length === 1 && item[0] !== undefined ? item[0] : Buffer.concat(item);
    item = [];
    itemLength = 0;
    items += 1;
    isInItem = false;
    return keep(PLACEHOLDER) ?? onItem(bytes);
  };

  /** From inside a string to behind its end, or to the end of the chunk. */
  function skipString(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (isEscaped) {
        isEscaped = false;
      } else if (byte === BACKSLASH) {
        isEscaped = true;
      } else if (byte === QUOTE) {
        inString = false;
        return at + 1;
      }
      if (depth === 1 && key.length < LONGEST_KEY) key += String.fromCharCode(byte);
    }
    return chunk.length;
  }

  /** Whether an item begins with this byte, or ends with it. */
  function step(byte: number): 'begin' | 'end' | undefined {
    switch (byte) {
      case QUOTE:
        inString = true;
        if (depth === 1) key = '';
        return undefined;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        if (depth === 2) isInItems = byte === OPEN_BRACKET && key === 'items';
        return isInItems && depth === 3 ? 'begin' : undefined;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        return isInItems && depth === 2 ? 'end' : undefined;
      default:
        return undefined;
    }
  }

  function push(chunk: Buffer): Fault | undefined {
    /** Where the bytes begin that are not kept yet. */
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (inString) {
        at = skipString(chunk, at);
        continue;
      }
      const boundary = step(chunk[at] ?? 0);
      at += 1;
      if (boundary === undefined) continue;
      const cut = boundary === 'begin' ? at - 1 : at;
      const fault = keep(chunk.subarray(start, cut)) ?? (boundary === 'begin' ? beginItem() : finishItem());
      if (fault !== undefined) return fault;
      start = cut;
    }
    return start < chunk.length ? keep(chunk.subarray(start)) : undefined;
  }

  function end(): unknown {
    try {
      const list = JSON.parse(rest.toString('utf8', 0, restLength)) as { readonly items?: unknown } | null;
      const found = Array.isArray(list?.items) ? list.items.length : 0;
      return found === items ? list : undefined;
    } catch {
      return undefined;
    }
  }

  return { push, end };
}

function tooLong(what: string, limit: number): Fault {
  return new Fault('PC_KUBE_ANSWER', `${what} of the list is larger than ${limit} bytes`);
}
