/**
 * The scanner of src/kernel/json/scan-json.ts: one pass over a JSON document that checks the whole grammar and finds the ranges
 * of wanted members. AssemblyScript, compiled by tools/build-json-scanner.ts into src/kernel/json/scanner-module.ts.
 *
 * Positions are addresses. A function that reads a token answers the address after it, or `~address` of the byte that is wrong.
 */
import { CLOSE_OBJECT, COLON, COMMA, DIGIT_0, MINUS, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes';
import { respell } from './host';
import { childOf, isNewKey } from './keys';
import {
  FRAMES,
  FRAME_CLOSER,
  FRAME_KEYS,
  FRAME_NODE,
  FRAME_SIZE,
  FRAME_SLOT,
  INPUT,
  MAX_DEPTH,
  NODES,
  NODE_SLOT,
  NOTHING,
  PADDING,
  RANGES,
  REASON_DEPTH,
  REASON_DUPLICATE_KEY,
  RESULT,
} from './layout';
import { skipLiteral, skipNumber } from './scalars';
import { isCanonical, skipBlanks, skipEscapes, skipPlain } from './strings';

export { FRAMES, INPUT, NODES, NODE_SIZE, PADDING, RANGES, RESULT } from './layout';

/** Answers the offset of what is wrong, or -1. `rangesSize` is in bytes. */
export function scan(length: u32, rangesSize: u32): i32 {
  const end = INPUT + length;
  memory.fill(end, 0, PADDING);
  memory.fill(RANGES, 0xff, rangesSize);
  store<u64>(RESULT, 0);
  const stop = document(end);
  return stop < 0 ? ~stop - <i32>INPUT : -1;
}

/** One long function on purpose: its state lives in registers. */
function document(end: u32): i32 {
  let at = INPUT;
  let depth: u32 = 0;
  let isKey = false;
  let wanted = NODES;
  while (true) {
    at = skipBlanks(at);
    const start = at;
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) {
      const plain = skipPlain(at + 1);
      const stop = load<u8>(plain) == QUOTE ? <i32>plain + 1 : skipEscapes(plain);
      if (stop < 0) return stop;
      at = stop;
      if (isKey) {
        // From here on the key has one spelling only.
        const keyEnd = at == plain + 1 || isCanonical(plain) ? at : respell(start, at);
        const length = keyEnd - start - 2;
        if (!isNewKey(depth, start + 1, length)) return fail(REASON_DUPLICATE_KEY, start);
        wanted = load<u32>(FRAMES + depth * FRAME_SIZE, FRAME_NODE);
        if (wanted != NOTHING) wanted = childOf(wanted, start + 1, length);
        at = skipBlanks(at);
        if (load<u8>(at) != COLON) return ~at;
        at++;
        isKey = false;
        continue;
      }
    } else if (isKey) {
      return ~at;
    } else if (byte == OPEN_OBJECT || byte == OPEN_ARRAY) {
      if (depth == MAX_DEPTH) return fail(REASON_DEPTH, start);
      const closer = byte + 2;
      at = skipBlanks(at + 1);
      if (at == end) return ~at;
      if (load<u8>(at) != closer) {
        depth++;
        isKey = closer == CLOSE_OBJECT;
        open(depth, closer, start, wanted);
        wanted = NOTHING;
        continue;
      }
      at++;
    } else {
      const stop = byte == MINUS || byte - DIGIT_0 < 10 ? skipNumber(at) : skipLiteral(at);
      if (stop < 0) return stop;
      at = stop;
    }
    if (wanted != NOTHING) capture(load<i32>(wanted, NODE_SLOT), start, at);
    // A value has ended: close containers up to the next comma.
    while (true) {
      at = skipBlanks(at);
      if (depth == 0) return at == end ? <i32>at : ~at;
      const next: u32 = load<u8>(at);
      const frame = FRAMES + depth * FRAME_SIZE;
      const closer = load<u32>(frame, FRAME_CLOSER);
      if (next == COMMA) {
        isKey = closer == CLOSE_OBJECT;
        break;
      }
      if (next != closer) return ~at;
      at++;
      const slot = load<i32>(frame, FRAME_SLOT);
      if (slot >= 0) store<u32>(RANGES + (slot << 2), at - INPUT, 4);
      depth--;
    }
    at++;
    wanted = NOTHING;
  }
}

function fail(reason: u32, at: u32): i32 {
  store<u32>(RESULT, reason, 4);
  return ~at;
}

function open(depth: u32, closer: u32, start: u32, wanted: u32): void {
  const frame = FRAMES + depth * FRAME_SIZE;
  const slot = wanted == NOTHING ? -1 : load<i32>(wanted, NODE_SLOT);
  store<u32>(frame, closer, FRAME_CLOSER);
  store<i32>(frame, slot, FRAME_SLOT);
  store<u32>(frame, closer == CLOSE_OBJECT ? wanted : NOTHING, FRAME_NODE);
  store<u32>(frame, 0, FRAME_KEYS);
  if (slot >= 0) store<u32>(RANGES + (slot << 2), start - INPUT);
}

function capture(slot: i32, start: u32, end: u32): void {
  if (slot < 0) return;
  store<u32>(RANGES + (slot << 2), start - INPUT);
  store<u32>(RANGES + (slot << 2), end - INPUT, 4);
}
