import { stat } from 'node:fs/promises';
import { createFileDocumentSource } from '../../sources/file/file-document-source.ts';
import type { DocumentSource } from '../../sources/source.ts';

/** Policies named on a command line: files, folders, or files in the form of `plugins.yaml`. */
export async function policySources(
  paths: readonly string[],
  pluginsFiles: readonly string[] = [],
): Promise<readonly DocumentSource[]> {
  const directories: string[] = [];
  const files: string[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    (info?.isDirectory() ? directories : files).push(path);
  }
  return [createFileDocumentSource({ directories, files, pluginsFiles, checkInterval: 0 })];
}
