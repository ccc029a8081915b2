import { Fault } from '../../kernel/fault.ts';
import { createIdentify } from '../../kernel/identify.ts';
import type { ModuleSource } from '../source.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const identify = createIdentify();

/** Standard padded base64 inside the document. Line breaks are refused: JSON cannot carry them and YAML hides them. */
export const inlineModuleSource: ModuleSource = {
  place: 'inline',
  // The bytes are in the document, and the same object is the same document.
  version: async (policy) => `${identify(policy)}`,
  async fetch(policy) {
    const text = policy.spec.module.inline ?? '';
    if (text === '' || text.length % 4 !== 0 || !BASE64.test(text)) {
      return new Fault(
        'PC_MODULE_MALFORMED',
        'the inline module is not standard padded base64 (use `base64 -w0`)',
      );
    }
    return Buffer.from(text, 'base64');
  },
};
