import { log_message } from './env';

/** One line for the debug log of the server. */
export function log(line: string): void {
  const bytes = String.UTF8.encode(line);
  log_message(changetype<usize>(bytes), bytes.byteLength);
}
