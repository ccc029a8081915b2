/** Error numbers of WASI preview 1 that we answer (witx `errno`). */
export const ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  nosys: 52,
  notcapable: 76,
  spipe: 70,
} as const;
