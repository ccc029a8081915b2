import { assembleWat } from './assemble-wat.ts';

/** A text that a guest looks for in its whole input, and what it answers when it is there. */
export interface SearchRule {
  readonly needle: string;
  /** The whole output, as JSON. */
  readonly answer: unknown;
}

interface Place {
  readonly at: number;
  readonly size: number;
}

const HEAP = 64 * 1024;
const TEXTS = 1024;

/** A module of the WASI form: the first rule whose text is in the input answers, or else `otherwise`. Written in WebAssembly text. */
export async function searchGuest(
  entry: 'authn' | 'authz' | 'validate',
  rules: readonly SearchRule[],
  otherwise: unknown,
): Promise<Uint8Array> {
  const data: string[] = [];
  let next = TEXTS;
  const place = (text: string): Place => {
    const bytes = Buffer.from(text);
    const escaped = Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    data.push(`(data (i32.const ${next}) "${escaped}")`);
    const placed = { at: next, size: bytes.length };
    next += bytes.length;
    return placed;
  };
  const say = ({ at, size }: Place): string => `(call $say (i32.const ${at}) (i32.const ${size}))`;
  const steps = rules.map(({ needle, answer }) => {
    const { at, size } = place(needle);
    return `(if (call $has (i32.const ${at}) (i32.const ${size})) (then ${say(place(JSON.stringify(answer)))} (return)))`;
  });
  steps.push(say(place(JSON.stringify(otherwise))));
  return assembleWat(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 32)
    ${data.join('\n')}
    (global $end (mut i32) (i32.const ${HEAP}))
    (func $slurp
      (loop $more
        (i32.store (i32.const 0) (global.get $end))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (global.set $end (i32.add (global.get $end) (i32.load (i32.const 8))))
        (br_if $more (i32.load (i32.const 8)))))
    (func $has (param $at i32) (param $size i32) (result i32)
      (local $from i32) (local $i i32)
      (local.set $from (i32.const ${HEAP}))
      (loop $next
        (if (i32.gt_u (i32.add (local.get $from) (local.get $size)) (global.get $end)) (then (return (i32.const 0))))
        (local.set $i (i32.const 0))
        (block $differs
          (loop $same
            (if (i32.eq (local.get $i) (local.get $size)) (then (return (i32.const 1))))
            (br_if $differs (i32.ne
              (i32.load8_u (i32.add (local.get $at) (local.get $i)))
              (i32.load8_u (i32.add (local.get $from) (local.get $i)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $same)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next))
      (i32.const 0))
    (func $say (param $at i32) (param $size i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $size))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "${entry}") (call $slurp) ${steps.join('\n')}))`);
}
