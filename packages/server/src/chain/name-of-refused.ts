/** What a document is known as when another one has its name. */
export function nameOfRefused(name: string, container: string): string {
  return `${name} (${container})`;
}
