/** Folder of the notes. */
export const TAGS = 'tags';

/** What a tag stood for, as it lies in a file. */
export function formatTagNote(name: string, digest: string): string {
  return `${JSON.stringify({ name, digest })}\n`;
}

/** Undefined when it is not a note of this name; of any, when none is given. */
export function parseTagNote(text: string, name?: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('name' in value) || !('digest' in value))
      return undefined;
    if (name !== undefined && value.name !== name) return undefined;
    return typeof value.digest === 'string' ? value.digest : undefined;
  } catch {
    return undefined;
  }
}
