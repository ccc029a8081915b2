import { isFault } from '../../kernel/fault.ts';
import { compileRegex } from '../../kernel/regex/compile-regex.ts';
import { fail } from './operands.ts';

const MAX_LENGTH = 4096;

/** `urn:foo:{.*}` as the pattern `^urn:foo:(.*)$`: what stands between the delimiters is a pattern, the rest is itself. */
export function templatePattern(template: string, open: string, close: string): string {
  // Longer than a pattern may be; each part of it is compiled.
  if (template.length > MAX_LENGTH) fail(`a template of more than ${MAX_LENGTH} characters`);
  let pattern = '^';
  let level = 0;
  let from = 0;
  for (let at = 0; at < template.length; at++) {
    const character = template[at];
    // Where both are the same character, every one of them opens.
    if (character === open) {
      if (level++ > 0) continue;
      pattern += quoteMeta(template.slice(from, at));
      from = at + 1;
    } else if (character === close) {
      if (--level < 0) break;
      if (level > 0) continue;
      pattern += `(${checked(template.slice(from, at))})`;
      from = at + 1;
    }
  }
  if (level !== 0) fail('unbalanced delimiters in the template');
  return `${pattern}${quoteMeta(template.slice(from))}$`;
}

/** Each on its own, so that no part can close what another one opened. */
function checked(pattern: string): string {
  const program = compileRegex(pattern);
  return isFault(program) ? fail(program.message) : pattern;
}

export function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
