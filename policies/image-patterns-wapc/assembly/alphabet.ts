import { OTHER, SLASH } from './pattern';

const PLAIN: i32 = 128;

/** The characters that stand in patterns, numbered; all others are one letter, for they match the same. */
export class Alphabet {
  private codes: i32[] = [OTHER, SLASH];
  /** Of plain characters; the rest is rare. */
  private letters: StaticArray<u16> = new StaticArray<u16>(PLAIN);

  constructor(codes: i32[] = []) {
    this.letters[SLASH] = 1;
    for (let index = 0; index < codes.length; index++) {
      const code = codes[index];
      if (code < 0 || this.codes.includes(code)) continue;
      if (code < PLAIN) this.letters[code] = u16(this.codes.length);
      this.codes.push(code);
    }
  }

  get size(): i32 {
    return this.codes.length;
  }

  codeOf(letter: i32): i32 {
    return this.codes[letter];
  }

  letterOf(code: i32): i32 {
    return code < PLAIN ? this.letters[code] : max(this.codes.indexOf(code), 0);
  }
}
