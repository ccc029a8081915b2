import { STATUS_CODES } from 'node:http';

/** `404` → `Not Found`. */
export function statusTitle(status: number): string {
  return STATUS_CODES[status] ?? String(status);
}
