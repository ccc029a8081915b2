/** Error numbers of WASI preview 1. */
export const ERRNO = {
  success: 0,
  badf: 8,
  fbig: 22,
  inval: 28,
  fault: 21,
  nosys: 52,
  spipe: 70,
} as const;
