import { readFileSync } from 'node:fs';

/**
 * Loaded into a server by `--import`: its wall clock is ahead of the machine's by the milliseconds in the file that E2E_CLOCK_SHIFT
 * names, which may change at any time. What measures durations is left alone, as when an operator sets the clock.
 */
const file = process.env['E2E_CLOCK_SHIFT'];
const real = Date.now;
let shift = 0;

function look(): void {
  try {
    shift = Number(readFileSync(file ?? '', 'utf8'));
  } catch {
    shift = 0;
  }
}

if (file !== undefined) {
  look();
  setInterval(look, 50).unref();
  Date.now = () => real() + shift;
}
