import { Alphabet } from './alphabet';
import { ANY, END, ONE, readPattern, SLASH, SOME } from './pattern';
import { State } from './state';

const MAX_STATES: i32 = 20_000;
/** A set has positions of two bytes each. */
const MAX_POSITIONS: i32 = 65_535;

/**
 * Many patterns as one automaton: however many there are, a text is read once, a step for each character. A state is a set of
 * positions in the patterns, and every set that can be reached is found beforehand.
 */
export class Patterns {
  /** The patterns one behind the other. */
  private codes: i32[] = [];
  private alphabet: Alphabet = new Alphabet();
  private states: State[] = [];
  /** States by the hash of their positions, open addressing; 0 is free. */
  private buckets: StaticArray<u16> = new StaticArray<u16>(MAX_STATES * 2);
  /** The set in the making, and in which making a position was added last. */
  private draft: u16[] = [];
  private marks: StaticArray<i32> = new StaticArray<i32>(0);
  private making: i32 = 0;
  isTooLarge: bool = false;

  constructor(patterns: string[]) {
    const entries: i32[] = [];
    for (let index = 0; index < patterns.length; index++) {
      entries.push(this.codes.length);
      readPattern(patterns[index], this.codes);
    }
    this.isTooLarge = this.codes.length > MAX_POSITIONS;
    this.alphabet = new Alphabet(this.codes);
    this.marks = new StaticArray<i32>(this.codes.length);
    this.begin();
    for (let index = 0; index < entries.length; index++) this.reach(entries[index]);
    this.settle();
    for (let index = 0; index < this.states.length && !this.isTooLarge; index++)
      this.expand(this.states[index]);
  }

  matches(text: string): bool {
    // State 0 of the table is none, so states are counted from 1.
    let state = this.isTooLarge || this.states.length == 0 ? 0 : 1;
    for (let index = 0; index < text.length && state != 0; index++) {
      state = this.states[state - 1].next[this.alphabet.letterOf(text.charCodeAt(index))];
    }
    return state != 0 && this.states[state - 1].isAccepting;
  }

  private expand(state: State): void {
    for (let letter = 0; letter < this.alphabet.size; letter++) {
      const code = this.alphabet.codeOf(letter);
      this.begin();
      for (let index = 0; index < state.positions.length; index++) this.follow(state.positions[index], code);
      state.next[letter] = this.settle();
    }
  }

  /** The position after a character, if the pattern goes on there. */
  private follow(position: i32, character: i32): void {
    const code = this.codes[position];
    if (code == ANY || (code == SOME && character != SLASH)) this.reach(position);
    else if (code == character || (code == ONE && character != SLASH)) this.reach(position + 1);
  }

  private begin(): void {
    this.draft.length = 0;
    this.making++;
  }

  /** A position, and the one behind it where it may match nothing. */
  private reach(position: i32): void {
    for (let at = position; this.marks[at] != this.making; at++) {
      this.marks[at] = this.making;
      this.draft.push(u16(at));
      const code = this.codes[at];
      if (code != ANY && code != SOME) return;
    }
  }

  /** The state of the draft, one that is known or a new one; 0 for none, when nothing can match any more. */
  private settle(): u16 {
    if (this.draft.length == 0) return 0;
    let hash: u32 = 2_166_136_261;
    for (let index = 0; index < this.draft.length; index++) hash = (hash ^ this.draft[index]) * 16_777_619;
    const size = u32(this.buckets.length);
    let bucket = hash % size;
    while (this.buckets[bucket] != 0) {
      const state = this.buckets[bucket];
      if (this.states[state - 1].hasPositions(this.draft)) return state;
      bucket = (bucket + 1) % size;
    }
    return this.add(bucket);
  }

  private add(bucket: u32): u16 {
    if (this.states.length == MAX_STATES) {
      this.isTooLarge = true;
      return 0;
    }
    let isAccepting = false;
    for (let index = 0; index < this.draft.length; index++) {
      if (this.codes[this.draft[index]] == END) isAccepting = true;
    }
    this.states.push(new State(StaticArray.fromArray(this.draft), this.alphabet.size, isAccepting));
    this.buckets[bucket] = u16(this.states.length);
    return u16(this.states.length);
  }
}
