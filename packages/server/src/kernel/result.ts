import { Fault, type FaultCode } from './fault.ts';

/** Runs what may throw (a library, the file system) and turns the exception into a fault. */
export async function attempt<T>(code: FaultCode, what: string, run: () => Promise<T>): Promise<T | Fault> {
  try {
    return await run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new Fault(code, `${what}: ${reason}`, { cause: error });
  }
}
