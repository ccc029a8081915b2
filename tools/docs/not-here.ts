/** Why a page cannot be made on this machine. */
export interface NotHere {
  readonly reason: string;
}
