import { configKeys, type ConfigKey } from '../../packages/server/src/app/config/config-keys.ts';
import { code, generated, table } from './markdown.ts';

export function configurationPage(): string {
  const intro =
    'Keys of `portcullis.yaml` (`portcullis serve --config portcullis.yaml`). Every key is also an environment variable. A ' +
    'command-line option wins over a variable, a variable over the file, the file over the default. An unknown key is an error that ' +
    'names file and line.\n\nDurations are written `250ms`, `1s`, `1m30s`; sizes `64Ki`, `16Mi`, `1Gi` or plain bytes.';
  const rows = configKeys().map((key) => [
    code(key.name),
    code(key.variable),
    fallback(key),
    key.description,
  ]);
  return `${generated('Configuration', intro)}\n${table(['key', 'variable', 'default', 'meaning'], rows)}\n`;
}

function fallback(key: ConfigKey): string {
  return key.default === undefined ? '' : code(JSON.stringify(key.default).replace(/^"(.*)"$/, '$1'));
}
