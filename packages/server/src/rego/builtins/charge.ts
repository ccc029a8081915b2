/** Asked before a piece of work; throws when there has been too much. */
export type Charge = (units: number) => void;

/** For text that is gone through or made: 64 characters are a unit. */
export function charged(charge: Charge, characters: number): void {
  charge(1 + (characters >> 6));
}
