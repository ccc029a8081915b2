/** A log line for people: time, level, message, then the fields as `key=value`. One line, whatever the values hold. */
export function prettyLine(line: Readonly<Record<string, unknown>>): string {
  const { level, time, msg, ...fields } = line;
  const clock = String(time).slice(11, 23);
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`);
  return `${[clock, String(level).toUpperCase().padEnd(5), escape(String(msg)), ...shown].join(' ')}\n`;
}

function show(value: unknown): string {
  if (typeof value !== 'string') return escape(JSON.stringify(value));
  return /^[^\s"=\p{C}]+$/u.test(value) ? value : escape(JSON.stringify(value));
}

/** Control characters could move the cursor of a terminal. */
function escape(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
