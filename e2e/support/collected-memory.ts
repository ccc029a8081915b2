import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Loaded into a server by `--import`: collects the garbage of each thread whenever the text in the file that E2E_COLLECT names
 * changes, so that its memory is what it holds, and not what it has not yet looked through.
 */
const file = process.env['E2E_COLLECT'];

if (file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let known = '';
  const look = (): void => {
    try {
      const text = readFileSync(file, 'utf8');
      if (text !== known) collect();
      known = text;
    } catch {
      // Nobody has asked yet.
    }
  };
  setInterval(look, 200).unref();
}
