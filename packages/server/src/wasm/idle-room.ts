/** Something that keeps instances which nobody uses now. */
export interface IdleHolder {
  /** Forget them. */
  letGo(): void;
}

/** Bounds what idle instances of a thread hold: those that were used longest ago go first. */
export interface IdleRoom {
  /** The holder was used, and keeps so many bytes now. */
  note(holder: IdleHolder, bytes: number): void;
  /** Whether one more would make another go. */
  readonly isFull: boolean;
}

export function createIdleRoom(maxBytes: number): IdleRoom {
  /** Bytes by holder, the one used last at the end. */
  const kept = new Map<IdleHolder, number>();
  let total = 0;

  function set(holder: IdleHolder, bytes: number): void {
    total += bytes - (kept.get(holder) ?? 0);
    kept.delete(holder);
    if (bytes > 0) kept.set(holder, bytes);
  }

  return {
    note(holder, bytes) {
      set(holder, bytes);
      for (const oldest of kept.keys()) {
        if (total <= maxBytes || oldest === holder) return;
        set(oldest, 0);
        oldest.letGo();
      }
    },
    get isFull() {
      return total >= maxBytes;
    },
  };
}
