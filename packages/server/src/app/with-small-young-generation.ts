import { setFlagsFromString } from 'node:v8';

/**
 * What is made while code and policies are loaded stays, and V8 takes that for a reason to let the young generation grow, to 32 MiB
 * that it does not give back. Meanwhile it stays as it is, in the threads that start meanwhile too; afterwards it grows when work
 * asks for it.
 */
export async function withSmallYoungGeneration<T>(load: () => Promise<T>): Promise<T> {
  setFlagsFromString('--semi-space-growth-factor=1');
  try {
    return await load();
  } finally {
    // V8's default.
    setFlagsFromString('--semi-space-growth-factor=2');
  }
}
