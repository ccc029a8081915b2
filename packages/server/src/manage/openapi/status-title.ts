import { http } from '../../kernel/node-http.ts';

/** `404` → `Not Found`. */
export function statusTitle(status: number): string {
  return http.STATUS_CODES[status] ?? String(status);
}
