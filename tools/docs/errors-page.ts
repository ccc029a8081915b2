import { FAULTS } from '../../packages/server/src/kernel/faults/catalogue.ts';
import { code, generated, table } from './markdown.ts';

export function errorsPage(): string {
  const rows = Object.entries(FAULTS).map(([key, { meaning, advice }]) => [code(key), meaning, advice]);
  return `${generated(
    'Errors',
    'Every code that Portcullis shows: in answers, statuses, logs and metrics. Codes are stable; texts may change.',
  )}\n${table(['code', 'what it means', 'what to do'], rows)}\n`;
}
