import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BuiltinFailure, BuiltinLimit, type BuiltinContext } from '../../src/rego/builtins/builtin.ts';
import { BUILTINS } from '../../src/rego/builtins/builtins.ts';
import { GRAPHQL } from '../../src/rego/builtins/graphql/graphql.ts';
import { JSON_SCHEMA } from '../../src/rego/builtins/json-schema/json-schema.ts';
import * as lazy from '../../src/rego/builtins/lazy-families.ts';
import { isArray, type RegoValue } from '../../src/rego/values/rego-value.ts';
import { parseValue } from '../../src/rego/values/parse-value.ts';
import { printValue } from '../../src/rego/values/print-value.ts';
import { createContext } from './support/evaluate-call.ts';

/** The text of what a call gives, both in the syntax of Rego: `name(arguments)`; undefined when it fails. */
function evaluate(call: string, context: BuiltinContext = createContext()): string | undefined {
  const [, name = '', operands = ''] = /^([\w.]+)\((.*)\)$/s.exec(call) ?? [];
  const builtin = BUILTINS.get(name);
  const args = parseValue(`[${operands}]`);
  assert.ok(builtin !== undefined && args !== undefined && isArray(args), call);
  try {
    const result = builtin(args, context);
    return result === undefined ? undefined : printValue(result);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    throw error;
  }
}

/** As OPA 1.22 has them; the end-to-end suite asks it for ten times as many. */
const CALLS: readonly (readonly [call: string, result: string | undefined])[] = [
  ['sprintf("%s is %d of %v%%", ["a", 3, 12.5])', '"a is 3 of 12.5%"'],
  ['sprintf("%d %s", [1.5, [true, {"x": {1}}]])', String.raw`"%!d(float64=1.5) [true, {\"x\": {1}}]"`],
  ['sprintf("%d %d", [1])', '"1 %!d(MISSING)"'],
  ['sprintf("%.1f|%5d|%-5d|%05d", [0.25, 1, 1, -1])', '"0.2|    1|1    |-0001"'],
  ['sprintf(1, [])', undefined],
  ['strings.any_prefix_match(["abc", "de"], {"x", "d"})', 'true'],
  ['strings.split_n("a,b,c", ",", -2)', '["b", "c"]'],
  ['indexof_n("añañ", "a")', '[0, 2]'],
  ['regex.replace("foo bar", "(\\\\w+) (\\\\w+)", "$2 ${1}x $1x")', '"bar foox "'],
  ['regex.split("a*", "abaac")', '["", "b", "c"]'],
  ['regex.find_n("a|ab", "abab", -1)', '["a", "a"]'],
  ['regex.find_n("(", "a", 1)', undefined],
  ['semver.compare("1.0.0-alpha.2", "1.0.0-alpha.10")', '-1'],
  ['semver.is_valid("01.0.0")', 'false'],
  ['units.parse("100m")', '0.1000000000'],
  ['units.parse_bytes("1.5Ki")', '1536'],
  ['units.parse_bytes("1 Ki")', undefined],
  ['time.parse_rfc3339_ns("2024-02-29T12:34:56Z")', '1709210096000000000'],
  ['time.parse_rfc3339_ns("2024-02-30T12:34:56Z")', undefined],
  ['time.parse_duration_ns("1h30m")', '5400000000000'],
  ['time.clock([1711846800000000000, "America/New_York"])', '[21, 0, 0]'],
  ['time.add_date(1709210096123456789, 0, 1, 0)', '1711715696123456789'],
  ['time.now_ns()', '1709210096123456789'],
  ['net.cidr_merge(["192.0.128.0/24", "192.0.129.0/24"])', '{"192.0.128.0/23"}'],
  ['net.cidr_expand("10.0.0.13/31")', '{"10.0.0.12", "10.0.0.13"}'],
  ['net.cidr_contains_matches("1.1.1.0/24", ["1.1.1.128", "2.2.2.2"])', '{["1.1.1.0/24", 0]}'],
  ['json.patch({"a": {1}}, [{"op": "add", "path": ["a", 2], "value": 2}])', '{"a": {1, 2}}'],
  ['json.patch({}, [{"op": "add", "path": "/a", "value": null}])', '{"a": null}'],
  ['json.patch({}, [{"op": "remove", "path": "/a"}])', undefined],
  ['yaml.unmarshal("a: [1, x]")', '{"a": [1, "x"]}'],
  [
    'yaml.unmarshal("a: 1\\na: [yes, 1:30, 014, 0o14, 1_0.5, 2001-12-14]")',
    '{"a": ["yes", "1:30", 12, 12, 10.5, "2001-12-14"]}',
  ],
  [
    'yaml.unmarshal("x: &x {a: 1, b: 2}\\ny: {<<: *x, a: 3}\\n---\\nz: 1")',
    '{"x": {"a": 1, "b": 2}, "y": {"a": 3, "b": 2}}',
  ],
  ['yaml.unmarshal("a: &a [*a]")', undefined],
  ['yaml.is_valid("a: 1\\n---\\n\\tb: 2")', 'false'],
  ['yaml.is_valid("~: 1")', 'false'],
  ['net.cidr_merge(["192.0.2.112", "192.0.2.116/31"])', '{"192.0.2.0/24"}'],
  ['uri.is_valid("http://exa%6dple.com/")', 'false'],
  ['uri.is_valid("http://foo]bar/")', 'true'],
  ['uuid.parse("(00000000-0000-4000-8000-000000000000)")', '{"variant": "RFC4122", "version": 4}'],
  ['sprintf("%.1f", [.5])', '"0.5"'],
  ['object.subset({"a": [1, 2, 3]}, {"a": [2, 3]})', 'true'],
  ['graph.reachable_paths({"a": ["b"], "b": []}, {"a"})', '{["a", "b"]}'],
  ['crypto.sha256("")', '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'],
  ['hex.decode("6g")', undefined],
  ['urlquery.encode_object({"b": ["2", "1"], "a": "x y"})', '"a=x+y&b=2&b=1"'],
  ['numbers.range_step(5, -5, 4)', '[5, 1, -3]'],
  ['uuid.rfc4122("a")', '"abababab-abab-4bab-abab-abababababab"'],
  [
    'providers.aws.sign_req({"method": "get", "url": "http://example.com"}, {"aws_access_key": "MYAWSACCESSKEYGOESHERE", "aws_secret_access_key": "MYAWSSECRETACCESSKEYGOESHERE", "aws_service": "s3", "aws_region": "us-east-1"}, 1451311705000000000)',
    '{"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=MYAWSACCESSKEYGOESHERE/20151228/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=0047a7016c81e5c7f29cd522f97e911e04fc472fced0aee7916cbc287ad6c8e3", "host": "example.com", "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "x-amz-date": "20151228T140825Z"}, "method": "get", "url": "http://example.com"}',
  ],
  ['providers.aws.sign_req({}, {}, 0)', undefined],
  [
    'strings.render_template("{{range $i, $n := .l}}{{if $i}},{{end}}{{$n}}{{end}} {{.x}}", {"l": ["a", "b"]})',
    '"a,b <undefined>"',
  ],
  ['strings.render_template("{{printf .l}}", {"l": "%s"})', undefined],
  ['glob.quote_meta("*.a{b}")', String.raw`"\\*.a\\{b\\}"`],
];

test('builtins give what OPA gives', () => {
  for (const [call, result] of CALLS) assert.equal(evaluate(call), result, call);
});

/** Arguments that would keep a machine busy, for each builtin whose work grows faster than its arguments. */
const HOSTILE = [
  `regex.find_n("${'(a*)*'.repeat(20)}b", "${'a'.repeat(200_000)}", -1)`,
  `regex.replace("${'a'.repeat(200_000)}", "(a|aa)+$", "x")`,
  'regex.split("(x{1000}){5}", "xxx")',
  'net.cidr_expand("::/0")',
  'net.cidr_expand("0.0.0.0/0")',
  'numbers.range_step(0, 1000000000000000000, 1)',
  `sprintf("${'%999999d'.repeat(1000)}", [${Array.from({ length: 1000 }, () => 1).join()}])`,
  `graph.reachable_paths({${Array.from({ length: 24 }, (_, a) => `"${a}": [${Array.from({ length: 24 }, (__, b) => `"${b}"`).join()}]`).join()}}, ["0"])`,
  `net.cidr_contains_matches([${Array.from({ length: 3000 }, () => '"10.0.0.0/8"').join()}], [${Array.from({ length: 3000 }, () => '"10.1.1.1"').join()}])`,
  `object.subset([${'1,'.repeat(5000)}2], [${'1,'.repeat(2500)}3])`,
  `strings.render_template("${'{{range .l}}'.repeat(6)}x${'{{end}}'.repeat(6)}", {"l": {"l": [${'1,'.repeat(50)}1]}})`,
  `strings.render_template("${'{{range $.l}}'.repeat(6)}x${'{{end}}'.repeat(6)}", {"l": [${'1,'.repeat(50)}1]})`,
  `yaml.unmarshal("${'[1,'.repeat(20_000)}")`,
  `yaml.unmarshal("${numbered(1000, (index) => `k${index}: 1\\n`)}")`,
  `yaml.unmarshal("a: &a 1\\nb: [${'*a,'.repeat(3000)}]")`,
  `yaml.unmarshal("a: ${']}'.repeat(90_000)}")`,
  `yaml.unmarshal("${'!a '.repeat(60_000)}")`,
  `yaml.is_valid("${'--- 1\\n'.repeat(10_000)}")`,
  `yaml.unmarshal("a: &a {${numbered(500, (index) => `k${index}: 1`)}}\\nb:\\n${'  - {<<: *a}\\n'.repeat(90)}")`,
  `sprintf("${'%[1]q'.repeat(1000)}", ["${'\\"'.repeat(20_000)}"])`,
  `sprintf("${'%[1]1s'.repeat(1000)}", ["${'a'.repeat(50_000)}"])`,
  `sprintf("${'%[1]d'.repeat(8000)}", [${'9'.repeat(10_000)}])`,
  `regex.replace("${'a'.repeat(1000)}", "a", "${'$x'.repeat(50_000)}")`,
  `regex.template_match("${'{.{1000}}'.repeat(10_000)}", "a", "{", "}")`,
  `regex.globs_match("${`[${'ab'.repeat(400)}]*`.repeat(100)}", "${`[${'cd'.repeat(400)}]*`.repeat(100)}")`,
  `time.parse_ns("${'.9'.repeat(120)}", "${'.1'.repeat(100)}!")`,
  `time.parse_ns("${'1'.repeat(120)}", "${'1'.repeat(180)}!")`,
  `time.format([1, "Asia/Tokyo", "${'MST 05 '.repeat(20_000)}"])`,
  `json.patch({"a": [1]}, [${numbered(40, () => '{"op": "copy", "from": "/a", "path": "/a/0"}')}])`,
  `json.patch({${numbered(20_000, (index) => `[${index}]: 1`)}}, [${numbered(500, () => '{"op": "test", "path": [[19999]], "value": 1}')}])`,
  `json.patch([${'1,'.repeat(100_000)}1], [${numbered(1000, () => '{"op": "remove", "path": "/1"}')}])`,
  `json.marshal_with_options(${'['.repeat(100)}1${']'.repeat(100)}, {"indent": "${' '.repeat(80_000)}"})`,
  `object.subset({${numbered(15_000, (index) => `[${index}]: 1`)}}, {${numbered(15_000, (index) => `[${14_999 - index}]: 1`)}})`,
];

function numbered(length: number, write: (index: number) => string): string {
  return Array.from({ length }, (_, index) => write(index)).join(', ');
}

test('sets of sets of sets are read in a time that grows with their text', { timeout: 60_000 }, () => {
  let leaves = 0;
  const nested = (depth: number): string =>
    depth === 0 ? String(leaves++) : `{${nested(depth - 1)}, ${nested(depth - 1)}}`;
  // The square of 131,072 comparisons would take half an hour.
  assert.equal(printValue(parseValue(nested(17)) ?? null).length > 1_000_000, true);
});

test('a value that holds another one many times is not printed beyond what there is room for', () => {
  let value: RegoValue = 1;
  for (let times = 0; times < 60; times++) value = [value, value];
  assert.throws(() => printValue(value, 1000), RangeError);
});

test('work that nobody should wait for is not begun, or broken off', { timeout: 60_000 }, () => {
  for (const call of HOSTILE) {
    let outcome: string | undefined;
    try {
      outcome = evaluate(call, createContext(100_000)) === undefined ? 'fails' : 'is done';
    } catch (error) {
      assert.ok(error instanceof BuiltinLimit, `${call.slice(0, 60)}: ${String(error)}`);
      outcome = 'is too much';
    }
    assert.notEqual(outcome, 'is done', call.slice(0, 60));
  }
});

test('values of any kind make no builtin throw anything else', () => {
  const value = fc.jsonValue({ maxDepth: 2 });
  const names = fc.constantFrom(...BUILTINS.keys());
  fc.assert(
    fc.property(names, fc.array(value, { maxLength: 4 }), (name, args) => {
      const context = createContext(100_000);
      const operands = JSON.stringify(args).slice(1, -1);
      try {
        evaluate(`${name}(${operands})`, context);
      } catch (error) {
        assert.ok(error instanceof BuiltinLimit, `${name}(${operands}): ${String(error)}`);
      }
    }),
    { numRuns: 3000, seed: 7 },
  );
});

test('values are read as they were written, whatever is in them', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const read = parseValue(text);
      assert.ok(read !== undefined);
      const again = parseValue(printValue(read));
      assert.ok(again !== undefined);
      assert.equal(printValue(again), printValue(read));
    }),
    { numRuns: 500, seed: 3 },
  );
  for (const broken of [
    '',
    '{',
    '{1',
    '[1,',
    '"a',
    'set(',
    '{1:}',
    '1 2',
    'nul',
    '"\\"',
    '[1}',
    '['.repeat(2000),
  ]) {
    assert.equal(parseValue(broken), undefined, broken.slice(0, 20));
  }
});

test('families that are loaded late offer what they have', () => {
  assert.deepEqual(Object.keys(lazy.GRAPHQL).sort(), Object.keys(GRAPHQL).sort());
  assert.deepEqual(Object.keys(lazy.JSON_SCHEMA).sort(), Object.keys(JSON_SCHEMA).sort());
});
