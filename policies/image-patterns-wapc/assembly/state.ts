/** A set of positions in the patterns, and where each letter leads from there. */
export class State {
  readonly next: StaticArray<u16>;

  constructor(
    readonly positions: StaticArray<u16>,
    letters: i32,
    readonly isAccepting: bool,
  ) {
    this.next = new StaticArray<u16>(letters);
  }

  hasPositions(positions: u16[]): bool {
    if (this.positions.length != positions.length) return false;
    for (let index = 0; index < positions.length; index++) {
      if (this.positions[index] != positions[index]) return false;
    }
    return true;
  }
}
