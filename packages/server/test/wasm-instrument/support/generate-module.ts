import { Random } from './random.ts';

type ValueType = 'i32' | 'i64' | 'f64';

interface Signature {
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
}

const SIGNATURES: readonly [Signature, ...Signature[]] = [
  { params: ['i32', 'i32'], result: 'i32' },
  { params: ['i32'], result: 'i32' },
  { params: [], result: undefined },
  { params: ['i64', 'i32'], result: 'i64' },
  { params: ['f64'], result: 'f64' },
  { params: ['i32'], result: undefined },
];

const TABLE_SIZE = 7;

interface Label {
  readonly type?: ValueType;
  /** A branch to it cannot run for ever. */
  readonly safe: boolean;
}

type Maker = (scope: Scope, inner: Scope) => string;
type Makers = readonly [Maker, ...Maker[]];

const PLAIN_LABEL: Label = { safe: true };

/** What may be generated where we are. */
interface Scope {
  readonly index: number;
  readonly signature: Signature;
  /** The labels around, innermost last. */
  readonly labels: readonly Label[];
  readonly depth: number;
  /** Loops around. */
  readonly loops: number;
}

export interface GeneratedModule {
  readonly text: string;
  /** Exported functions with the types of their parameters. */
  readonly functions: readonly { readonly name: string; readonly params: readonly ValueType[] }[];
}

/**
 * A random valid module that always ends by itself: loops count, functions call only later ones or through the table with
 * a counter that runs out. With `exceptions`, it throws and catches.
 */
export function generateModule(seed: number, exceptions = false): GeneratedModule {
  return new Generator(new Random(seed), exceptions).module();
}

class Generator {
  readonly #random: Random;
  readonly #exceptions: boolean;
  readonly #signatures: Signature[] = [];
  #counters = 0;
  #leaf = false;

  constructor(random: Random, exceptions: boolean) {
    this.#random = random;
    this.#exceptions = exceptions;
  }

  module(): GeneratedModule {
    const random = this.#random;
    const count = 2 + random.below(6);
    for (let index = 0; index < count; index++) this.#signatures.push(random.pick(SIGNATURES));
    const bodies = this.#signatures.map((signature, index) => this.#function(index, signature));
    const elements = Array.from({ length: TABLE_SIZE - 2 }, () => `$f${random.below(count)}`);
    const text = [
      '(module',
      '(import "env" "twice" (func $twice (param i32) (result i32)))',
      '(import "env" "nothing" (func $nothing))',
      `(memory (export "memory") 1 ${1 + random.below(4)})`,
      `(table (export "table") ${TABLE_SIZE} funcref)`,
      `(elem (i32.const 1) func ${elements.join(' ')})`,
      `(elem $passive func ${elements.slice(2).join(' ')})`,
      `(elem declare func ${bodies.map((_, index) => `$f${index}`).join(' ')})`,
      '(data (i32.const 16) "\\01\\02\\03\\ff some bytes to read")',
      '(data $passive "passive bytes")',
      '(global $left (mut i32) (i32.const 40))',
      '(global $g0 (export "g0") (mut i32) (i32.const 3))',
      '(global $g1 (export "g1") (mut i64) (i64.const -7))',
      '(global $g2 (export "g2") (mut f64) (f64.const 1.5))',
      ...(this.#exceptions ? ['(tag $problem (param i32))'] : []),
      ...SIGNATURES.map((signature, index) => `(type $t${index} (func ${header(signature)}))`),
      ...bodies,
      ...(random.chance(30) ? ['(func $start (global.set $g0 (i32.const 11)))', '(start $start)'] : []),
      ')',
    ].join('\n');
    const functions = this.#signatures.map(({ params }, index) => ({ name: `f${index}`, params }));
    return { text, functions };
  }

  #function(index: number, signature: Signature): string {
    this.#counters = 0;
    this.#leaf = index === this.#signatures.length - 1 || this.#random.chance(25);
    const labels: Label[] = [
      signature.result === undefined ? PLAIN_LABEL : { type: signature.result, safe: true },
    ];
    const scope: Scope = { index, signature, labels, depth: 0, loops: 0 };
    const statements = this.#statements(scope, 1 + this.#random.below(6));
    const result =
      signature.result === undefined ? '' : this.#value(signature.result, { ...scope, depth: 2 });
    const guard = this.#leaf
      ? ''
      : `(global.set $left (i32.sub (global.get $left) (i32.const 1)))
         (if (i32.lt_s (global.get $left) (i32.const 0)) (then ${returnZero(signature)}))`;
    const counters = Array.from({ length: this.#counters }, (_, at) => `(local $c${at} i32)`).join(' ');
    return `(func $f${index} (export "f${index}") ${header(signature)} (local $i i32) (local $l i64) (local $d f64) ${counters}
      ${guard} ${statements} ${result})`;
  }

  #statements(scope: Scope, count: number): string {
    return Array.from({ length: count }, () => this.#statement(scope)).join('\n');
  }

  #statement(scope: Scope): string {
    const inner: Scope = { ...scope, depth: scope.depth + 1 };
    const deep = scope.depth > 3;
    const makers = deep || this.#random.chance(36) ? this.#simple : this.#structured;
    return this.#random.pick(makers)(scope, inner);
  }

  readonly #simple: Makers = [
    (_, inner) => `(local.set $i ${this.#value('i32', inner)})`,
    (_, inner) => `(local.set $l ${this.#value('i64', inner)})`,
    (_, inner) => `(local.set $d ${this.#value('f64', inner)})`,
    (_, inner) => `(global.set $g0 ${this.#value('i32', inner)})`,
    (_, inner) => `(global.set $g1 ${this.#value('i64', inner)})`,
    (_, inner) => `(global.set $g2 ${this.#value('f64', inner)})`,
    (_, inner) => `(i32.store ${this.#address(inner)} ${this.#value('i32', inner)})`,
    (_, inner) => `(i64.store8 ${this.#address(inner)} ${this.#value('i64', inner)})`,
  ];

  readonly #structured: Makers = [
    (scope, inner) => `(if ${this.#value('i32', inner)} (then ${this.#nested(scope)}))`,
    (scope, inner) =>
      `(if ${this.#value('i32', inner)} (then ${this.#nested(scope)}) (else ${this.#nested(scope)}))`,
    (scope) => this.#loop(scope),
    (scope) => this.#loop(scope),
    (scope) => `(block ${this.#nested(scope)})`,
    (scope) => `(block ${this.#nested(scope)})`,
    (scope) => this.#branch(scope),
    (scope) => this.#branch(scope),
    (scope) => this.#branchTable(scope),
    (scope) => this.#call(scope),
    (scope) => this.#call(scope),
    (_, inner) => this.#range(inner),
    (scope) => (this.#exceptions ? this.#attempt(scope) : this.#call(scope)),
    (scope) => this.#rare(scope),
  ];

  /** Statements one block deeper. */
  #nested(scope: Scope, label: Label = PLAIN_LABEL, loops = 0): string {
    return this.#statements(
      {
        ...scope,
        labels: [...scope.labels, label],
        depth: scope.depth + 1,
        loops: scope.loops + loops,
      },
      1 + this.#random.below(3),
    );
  }

  /** A loop that runs at most a few times, tested at its end, at its head or in the middle. */
  #loop(scope: Scope): string {
    if (scope.loops >= 2) return `(block ${this.#nested(scope)})`;
    const counter = `$c${this.#counters++}`;
    const limit = 1 + this.#random.below(6);
    const step = `(local.tee ${counter} (i32.add (local.get ${counter}) (i32.const 1)))`;
    const start = `(local.set ${counter} (i32.const 0))`;
    const deeper = { ...scope, labels: [...scope.labels, PLAIN_LABEL] };
    if (this.#random.chance(40)) {
      return `${start} (loop ${this.#nested(scope, { safe: false }, 1)} (br_if 0 (i32.lt_u ${step} (i32.const ${limit}))))`;
    }
    const body = `(br_if 1 (i32.gt_u ${step} (i32.const ${limit}))) ${this.#nested(deeper, PLAIN_LABEL, 1)} (br 0)`;
    return `${start} (block (loop ${body}))${this.#random.chance(20) ? ' (loop)' : ''}`;
  }

  #branch(scope: Scope): string {
    const target = this.#random.below(scope.labels.length);
    const label = scope.labels[scope.labels.length - 1 - target] ?? PLAIN_LABEL;
    if (!label.safe) return '(nop)';
    const when = this.#value('i32', { ...scope, depth: 3 });
    const value = label.type === undefined ? '' : this.#value(label.type, { ...scope, depth: 3 });
    if (this.#random.chance(50)) return `(if ${when} (then (br ${target + 1} ${value})))`;
    return label.type === undefined
      ? `(br_if ${target} ${when})`
      : `(drop (br_if ${target} ${value} ${when}))`;
  }

  #branchTable(scope: Scope): string {
    const first = this.#random.chance(50) ? '(global.set $g0 (i32.const 77))' : '';
    return `(block (block (block (br_table 0 1 2 1 ${this.#value('i32', { ...scope, depth: 3 })})) ${first}
      ${this.#nested({ ...scope, labels: [...scope.labels, PLAIN_LABEL] })}) ${this.#nested(scope)})`;
  }

  #call(scope: Scope): string {
    if (this.#random.chance(15)) return '(call $nothing)';
    if (this.#leaf) return '(nop)';
    const arguments_ = (signature: Signature): string =>
      signature.params.map((type) => this.#value(type, { ...scope, depth: 3 })).join(' ');
    if (this.#random.chance(25)) {
      const type = this.#random.below(SIGNATURES.length);
      const signature = SIGNATURES[type] ?? SIGNATURES[0];
      const slot = `(i32.rem_u ${this.#value('i32', { ...scope, depth: 3 })} (i32.const ${TABLE_SIZE}))`;
      const call = `(call_indirect (type $t${type}) ${arguments_(signature)} ${slot})`;
      return signature.result === undefined ? call : `(drop ${call})`;
    }
    const callee = scope.index + 1 + this.#random.below(this.#signatures.length - scope.index - 1);
    const signature = this.#signatures[callee] ?? SIGNATURES[0];
    const call = `(call $f${callee} ${arguments_(signature)})`;
    return signature.result === undefined ? call : `(drop ${call})`;
  }

  /** Operations on ranges, with sizes that mostly fit. */
  #range(scope: Scope): string {
    const small = (): string => `(i32.and ${this.#value('i32', { ...scope, depth: 3 })} (i32.const 63))`;
    switch (this.#random.below(8)) {
      case 0:
        return `(memory.fill ${small()} ${small()} ${small()})`;
      case 1:
        return `(memory.copy ${small()} ${small()} ${small()})`;
      case 2:
        return `(memory.init $passive ${small()} (i32.const 1) (i32.and ${small()} (i32.const 7)))`;
      case 3:
        return `(table.set (i32.and ${small()} (i32.const 3)) (ref.func $f${scope.index}))`;
      case 4:
        return `(table.fill (i32.const 1) (ref.null func) (i32.and ${small()} (i32.const 3)))`;
      case 5:
        return '(table.copy (i32.const 2) (i32.const 1) (i32.const 3))';
      case 6:
        return `(table.init $passive (i32.const 0) (i32.const 1) (i32.const ${this.#random.below(4)}))`;
      default:
        return `(drop (memory.grow (i32.and ${small()} (i32.const 1))))`;
    }
  }

  #attempt(scope: Scope): string {
    const inside = this.#nested(scope);
    const problem = this.#random.chance(70)
      ? `(if ${this.#value('i32', { ...scope, depth: 3 })} (then (throw $problem (i32.const ${this.#random.below(9)}))))`
      : '';
    const handler = this.#random.chance(50)
      ? '(catch $problem (global.set $g0))'
      : `(catch_all ${this.#nested(scope)})`;
    return `(try (do ${inside} ${problem}) ${handler})`;
  }

  #rare(scope: Scope): string {
    switch (this.#random.below(10)) {
      case 0:
        return `(if (i32.eq ${this.#value('i32', { ...scope, depth: 3 })} (i32.const 5)) (then unreachable))`;
      case 1:
        return `(global.set $g0 (i32.div_u (i32.const 100) ${this.#value('i32', { ...scope, depth: 3 })}))`;
      case 2:
        return `(if ${this.#value('i32', { ...scope, depth: 3 })} (then ${returnZero(scope.signature)}))`;
      case 3:
        return `(i32.store (i32.const 70000) ${this.#value('i32', { ...scope, depth: 3 })})`;
      default:
        return `(block ${returnZero(scope.signature)} ${this.#nested(scope)})`;
    }
  }

  #address(scope: Scope): string {
    return `(i32.and ${this.#value('i32', { ...scope, depth: scope.depth + 1 })} (i32.const 0xfff))`;
  }

  #value(type: ValueType, scope: Scope): string {
    const simple = scope.depth > 3 || this.#random.chance(30);
    if (simple) return this.#leafValue(type, scope);
    const deeper: Scope = { ...scope, depth: scope.depth + 1 };
    if (type === 'i32') return this.#i32(deeper);
    if (type === 'i64') {
      return this.#random.chance(70)
        ? `(i64.${this.#random.pick(['add', 'mul', 'xor', 'rotl'])} ${this.#value('i64', deeper)} ${this.#value('i64', deeper)})`
        : `(i64.extend_i32_s ${this.#value('i32', deeper)})`;
    }
    return this.#random.chance(70)
      ? `(f64.${this.#random.pick(['add', 'mul', 'sub', 'min'])} ${this.#value('f64', deeper)} ${this.#value('f64', deeper)})`
      : `(f64.convert_i32_s ${this.#value('i32', deeper)})`;
  }

  #i32(scope: Scope): string {
    switch (this.#random.below(9)) {
      case 0:
        return `(i32.load ${this.#address(scope)})`;
      case 1:
        return `(i32.wrap_i64 ${this.#value('i64', scope)})`;
      case 2:
        return `(if (result i32) ${this.#value('i32', scope)} (then ${this.#value('i32', scope)}) (else ${this.#value('i32', scope)}))`;
      case 3:
        return '(memory.size)';
      case 4:
        return `(call $twice ${this.#value('i32', scope)})`;
      case 5:
        return `(select ${this.#value('i32', scope)} ${this.#value('i32', scope)} ${this.#value('i32', scope)})`;
      default:
        return `(i32.${this.#random.pick(['add', 'sub', 'mul', 'and', 'lt_s', 'shl'])} ${this.#value('i32', scope)} ${this.#value('i32', scope)})`;
    }
  }

  #leafValue(type: ValueType, scope: Scope): string {
    const parameter = scope.signature.params.indexOf(type);
    if (parameter >= 0 && this.#random.chance(40)) return `(local.get ${parameter})`;
    if (this.#random.chance(40)) return `(${type}.const ${this.#random.below(12) - 3})`;
    const names = {
      i32: ['local.get $i', 'global.get $g0'],
      i64: ['local.get $l', 'global.get $g1'],
      f64: ['local.get $d', 'global.get $g2'],
    } as const;
    return `(${this.#random.pick(names[type])})`;
  }
}

function header({ params, result }: Signature): string {
  return `${params.map((type) => `(param ${type})`).join(' ')} ${result === undefined ? '' : `(result ${result})`}`;
}

function returnZero({ result }: Signature): string {
  return result === undefined ? '(return)' : `(return (${result}.const 0))`;
}
