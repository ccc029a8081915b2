import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Secret } from '../../src/kernel/secret.ts';
import { createLogger, type LoggerOptions, type ServerLogger } from '../../src/telemetry/log/logger.ts';

describe('logger', () => {
  test('writes one JSON line with level, time and message', () => {
    const { log, lines } = create();
    log.log('warn', 'a policy is slow', { policy: 'registries', durationMs: 3 });
    deepEqual(JSON.parse(lines.join('')), {
      level: 'warn',
      time: '2023-11-14T22:13:20.000Z',
      policy: 'registries',
      durationMs: 3,
      msg: 'a policy is slow',
    });
    ok(lines.join('').endsWith('}\n'));
  });

  test('redacts by key at every depth, and secrets under any key', () => {
    const { log, lines } = create();
    log.log('info', 'x', {
      token: 'S1',
      Authorization: 'S2',
      dbPassword: 'S3',
      clientSecret: 'S4',
      'x-api-key': 'S5',
      nested: { cookie: 'S6', list: [{ privateKey: 'S7' }] },
      harmless: new Secret('S8'),
    });
    const text = lines.join('');
    ok(!/S\d/.test(text), text);
    equal(text.match(/\[redacted\]/g)?.length, 8);
  });

  test('cuts every text at 2048 characters', () => {
    const { log, lines } = create();
    log.log('info', 'm'.repeat(5000), {
      a: 'x'.repeat(5000),
      list: ['y'.repeat(5000)],
      at: `${'z'.repeat(2046)}😀z`,
    });
    const line = JSON.parse(lines.join('')) as { a: string; msg: string; list: string[]; at: string };
    deepEqual([line.a.length, line.msg.length, line.list[0]?.length], [2048, 2048, 2048]);
    ok(line.at.isWellFormed());
  });

  test('whatever the fields are, one line of valid JSON comes out', () => {
    const { log, lines } = create();
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (fields) => {
        lines.length = 0;
        log.log('info', 'x', fields);
        const text = lines.join('');
        equal(text.indexOf('\n'), text.length - 1);
        JSON.parse(text);
      }),
      { seed: 3, numRuns: 300 },
    );
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    lines.length = 0;
    log.log('info', 'x', circular);
    equal(lines.length, 1);
  });

  test('the level can change while it runs', () => {
    const { log, lines } = create({ level: 'warn' });
    log.log('info', 'one');
    ok(!log.enabled('info'));
    log.level = 'debug';
    log.log('debug', 'two');
    ok(log.enabled('debug'));
    deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ['two'],
    );
  });

  test('the form for people is one line too, and cannot move the cursor', () => {
    const { log, lines } = create({ format: 'pretty' });
    log.log('info', 'new policy set', { revision: 4, name: 'a b', evil: '\u001b[2J\n' });
    equal(lines.join(''), '22:13:20.000 INFO  new policy set revision=4 name="a b" evil="\\u001b[2J\\n"\n');
    lines.length = 0;
    log.log('info', 'x\u009b\u202e\n');
    match(lines.join(''), /^22:13:20.000 INFO {2}x\\u\{9b\}\\u\{202e\}\\u\{a\}\n$/);
  });
});

test('a secret shows itself only when asked to', () => {
  const secret = new Secret('hunter2');
  equal(secret.reveal(), 'hunter2');
  const shown = [
    JSON.stringify({ secret }),
    inspect({ secret }),
    String(secret),
    inspect(secret, { showHidden: true }),
  ];
  for (const text of shown) {
    ok(!text.includes('hunter2'), text);
    ok(text.includes('[redacted]'), text);
  }
});

function create(options: Partial<LoggerOptions> = {}): { log: ServerLogger; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    clock: { wall: () => 1_700_000_000_000 },
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines };
}
