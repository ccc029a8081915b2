import type { Operation, Phase, Verdict } from '@portcullis/contract';
import { pluginVerdict } from './plugin-verdict.ts';

/** All that a verdict depends on besides the phase: `<return code> <operation> <output, a character for each byte>`. */
export function answerText(code: number, output: Uint8Array | undefined, operation: Operation): string {
  if (output === undefined) return `${code} ${operation} `;
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.length);
  return `${code} ${operation} ${bytes.toString('latin1')}`;
}

export function readAnswer(text: string, phase: Phase): Verdict {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const output = Buffer.from(text.slice(second + 1), 'latin1');
  const operation = text.slice(first + 1, second) as Operation;
  return pluginVerdict({ code: Number(text.slice(0, first)), output }, phase, operation);
}
