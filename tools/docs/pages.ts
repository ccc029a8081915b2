import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';

/** Generated references, by path from the root of the repository. */
export const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/configuration.md': configurationPage,
};
