import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@portcullis/contract';
import { run, type CelInput } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import * as fc from 'fast-check';
import { isFault, type Fault } from '../../src/kernel/fault.ts';
import { exactNumber } from '../../src/kernel/json/exact-json.ts';
import { CEL_BUDGET, CelBudget } from '../../src/policy/cel/cel-budget.ts';
import { toCelValue } from '../../src/policy/cel/cel-value.ts';
import { compileCel } from '../../src/policy/cel/compile-cel.ts';

const POD: JsonValue = {
  metadata: {
    name: 'web-0',
    namespace: 'prod',
    labels: { app: 'web', constructor: 'x', 'a.b/c': 'd' },
    generation: 9,
    uid: exactNumber('9007199254740993'),
    huge: exactNumber('18446744073709551616'),
  },
  spec: {
    replicas: 3,
    weight: 1.5,
    containers: [
      { name: 'a', image: 'docker.io/acme/a:1', ports: [80, 443], limits: { memory: '512Mi' } },
      { name: 'b', image: 'ghcr.io/acme/b', ports: [] },
    ],
    hosts: ['a.example', 'b.example'],
    nothing: null,
    empty: {},
    enabled: true,
  },
};
const REQUEST: JsonValue = {
  operation: 'CREATE',
  userInfo: { username: 'system:serviceaccount:kube-system:x', groups: ['system:masters'] },
};

function evaluate(expression: string, object: JsonValue = POD): boolean | Fault {
  const program = compileCel(expression);
  if (isFault(program)) return program;
  const variables = { object: toCelValue(object), oldObject: null, request: toCelValue(REQUEST) };
  return program.evaluate(variables, new CelBudget());
}

/** Expressions of the core language, for both evaluators. */
const COMMON: readonly string[] = [
  'object.metadata.name == "web-0"',
  'object.metadata.name != "web-0"',
  'object != null',
  'oldObject == null',
  'oldObject != null && oldObject.metadata.name == "x"',
  'has(object.metadata.labels)',
  'has(object.metadata.annotations)',
  'has(object.metadata.labels.app) && object.metadata.labels.app == "web"',
  'has(object.missing.deeper)',
  'object.metadata.labels["a.b/c"] == "d"',
  '"app" in object.metadata.labels',
  '"constructor" in object.metadata.labels',
  '"toString" in object.metadata.labels',
  'object.metadata.labels.constructor == "x"',
  'object.metadata.missing == 1',
  'object.spec.nothing == null',
  'object.spec.empty == {}',
  'object.spec.enabled',
  '!object.spec.enabled',
  'object.spec.replicas > 2 && object.spec.replicas < 4.5',
  'object.spec.replicas == 3.0',
  'object.spec.replicas % 2 == 1',
  'object.spec.replicas / 2 == 1',
  'object.spec.replicas / 0 == 1',
  'object.spec.weight * 2.0 == 3.0',
  'object.metadata.uid == 9007199254740993',
  'object.metadata.uid + 1 == 9007199254740994',
  'type(object.spec.replicas) == int && type(object.spec.weight) == double',
  'type(object.metadata.uid) == int && type(object.metadata.huge) == double',
  'object.spec.containers.all(c, c.image.startsWith("docker.io/"))',
  'object.spec.containers.exists(c, c.image.endsWith("/b"))',
  'object.spec.containers.exists_one(c, c.name == "a")',
  'object.spec.containers.map(c, c.name) == ["a", "b"]',
  'object.spec.containers.filter(c, size(c.ports) > 0).size() == 1',
  'object.spec.containers.all(c, has(c.limits))',
  'object.spec.containers.all(c, c.limits.memory != "")',
  'object.spec.containers.exists(c, c.limits.memory == "512Mi")',
  'object.spec.containers[0].ports == [80, 443]',
  'object.spec.containers[1].name == "b"',
  'object.spec.containers[7].name == "b"',
  'size(object.spec.hosts) == 2',
  '"a.example" in object.spec.hosts',
  'object.metadata.labels.all(k, k.size() > 1)',
  'object.metadata.labels.exists(k, object.metadata.labels[k] == "d")',
  'object.metadata.name.contains("b-") && object.metadata.name.matches("^web-[0-9]+$")',
  'object.metadata.name.matches("(")',
  '!request.userInfo.username.startsWith("system:")',
  'request.userInfo.groups.exists(g, g == "system:masters") ? request.operation == "CREATE" : false',
  'object.missing == 1 || true',
  'true || object.missing == 1',
  'object.missing == 1 && false',
  'object.missing == 1 || false',
  '[1, 2, 3].exists(x, x > 2) && {"a": 1}.a == 1',
  'string(object.spec.replicas) == "3" && int("42") == 42 && double("1.5") == 1.5',
  'timestamp("2026-01-01T00:00:00Z") < timestamp("2026-01-02T00:00:00Z")',
  'duration("1h") > duration("59m")',
  '9223372036854775807 + 1 > 0',
  'object.spec.hosts == ["a.example", "b.example"]',
  'object.spec.hosts + ["c"] == ["a.example", "b.example", "c"]',
  '"b" > "a" && "" < "a"',
  'object.metadata.name.size() == 5 && "😀".size() == 1',
  '"a,b".split(",") == ["a", "b"] && ["a", "b"].join("-") == "a-b"',
  '"abc".charAt(1) == "b" && "abc".indexOf("c") == 2 && "abca".lastIndexOf("a") == 3',
  '"aXbX".replace("X", "-") == "a-b-" && "aXbX".replace("X", "-", 1) == "a-bX"',
  '"aaa".replace("a", "b", 0) == "aaa" && "ab".replace("", "-") == "-a-b-"',
  '"ÀB".lowerAscii() == "Àb" && "àb".upperAscii() == "àB" && " a ".trim() == "a"',
  '"abcd".substring(1, 3) == "bc" && "abcd".substring(2) == "cd"',
];

test('the core language agrees with another implementation', () => {
  const bindings = { object: plain(POD), oldObject: null, request: plain(REQUEST) };
  for (const expression of COMMON)
    assert.equal(outcome(evaluate(expression)), oracle(expression, bindings), expression);
});

test('combinations agree with another implementation, failures among them', () => {
  const bindings = { object: plain(POD), oldObject: null, request: plain(REQUEST) };
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(
        'true',
        'false',
        '(object.missing == 1)',
        'object.spec.enabled',
        '(object.spec.replicas > 5)',
        '(1 / 0 == 1)',
      ),
      fc
        .tuple(tie('tree'), fc.constantFrom('&&', '||', '==', '!='), tie('tree'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('tree').map((inner) => `!(${inner})`),
      fc.tuple(tie('tree'), tie('tree'), tie('tree')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      tie('tree').map((inner) => `object.spec.containers.all(c, c.name == "a" || ${inner})`),
      tie('tree').map((inner) => `object.spec.containers.exists(c, c.name == "b" && ${inner})`),
    ),
  }));
  fc.assert(
    fc.property(tree, (expression) => {
      assert.equal(outcome(evaluate(expression)), oracle(expression, bindings), expression);
    }),
    { seed: 31, numRuns: 500 },
  );
});

function outcome(value: boolean | Fault): string {
  return isFault(value) ? 'error' : String(value);
}

function oracle(expression: string, bindings: Record<string, CelInput>): string {
  const value: unknown = run(expression, bindings, { funcs: strings });
  return typeof value === 'boolean' ? String(value) : 'error';
}

/** Eager, and with nothing of the code under test. */
function plain(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if ('rawJSON' in value) {
    const integer = BigInt(value.rawJSON as string);
    return integer < 2n ** 63n ? integer : Number(integer);
  }
  return new Map(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/** Where the other implementation is another way: what we say, and why. They must still differ, else the row goes. */
const DIFFERENT: readonly (readonly [string, string, string])[] = [
  ['has(object.spec.nothing)', 'true', 'the specification asks for the key, not for a value'],
];

test('differences are known', () => {
  const bindings = { object: plain(POD), oldObject: null, request: plain(REQUEST) };
  for (const [expression, ours, reason] of DIFFERENT) {
    assert.equal(outcome(evaluate(expression)), ours, `${expression}: ${reason}`);
    assert.notEqual(oracle(expression, bindings), ours, `${expression} is no difference any more`);
  }
});

/** What Kubernetes adds. */
const KUBERNETES: readonly string[] = [
  '[1, 2, 3].sum() == 6 && [1.5, 2.0].sum() == 3.5 && [3, 1, 2].min() == 1 && ["a", "c"].max() == "c"',
  '[1, 2, 2].isSorted() && !["b", "a"].isSorted() && [].isSorted()',
  '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1',
  'object.spec.hosts.indexOf("b.example") == 1',
  '"abc 123".find("[0-9]+") == "123" && "abc".find("[0-9]+") == ""',
  '"1 22 333".findAll("[0-9]+") == ["1", "22", "333"] && "1 22 333".findAll("[0-9]+", 1) == ["1"]',
  'quantity(object.spec.containers[0].limits.memory).isLessThan(quantity("1Gi"))',
  'quantity("1500m").compareTo(quantity("1.5")) == 0 && quantity("1") == quantity("1000m")',
  'quantity("2").isGreaterThan(quantity("1")) && quantity("-1").sign() == -1',
  'quantity("1Ki").isInteger() && quantity("1Ki").asInteger() == 1024 && !quantity("1m").isInteger()',
  'quantity("1").add(quantity("1")).sub(1).asApproximateFloat() == 1.0',
  'isQuantity("1.3Gi") && !isQuantity("1.3G1")',
  'ip("10.0.0.1").family() == 4 && ip("::1").isLoopback() && ip("169.254.0.1").isLinkLocalUnicast()',
  'ip("8.8.8.8").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast() && ip("0.0.0.0").isUnspecified()',
  'isIP("::1") && !isIP("1.2.3") && !isIP("::ffff:1.2.3.4") && !isIP("fe80::1%eth0")',
  'ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1") && ip("::1") == ip("0:0:0:0:0:0:0:1")',
  'string(ip("1:0:0:2:0:0:0:3")) == "1:0:0:2::3" && string(ip("0:0:1::")) == "0:0:1::"',
  'cidr("10.0.0.0/8").containsIP("10.1.2.3") && !cidr("10.0.0.0/8").containsIP(ip("11.0.0.0"))',
  'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && !cidr("10.1.0.0/16").containsCIDR(cidr("10.0.0.0/8"))',
  'cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8") && cidr("::/0").prefixLength() == 0',
  'string(cidr("10.1.2.3/8")) == "10.1.2.3/8" && !isCIDR("10.0.0.0/33") && !isCIDR("10.0.0.0")',
  'url("https://example.com:8443/a%20b?x=1&x=2").getHostname() == "example.com"',
  'url("https://example.com:8443/a%20b?x=1&x=2").getPort() == "8443"',
  'url("https://example.com/a%20b?x=1&x=2").getQuery()["x"] == ["1", "2"]',
  'url("https://example.com/a%20b").getEscapedPath() == "/a%20b" && url("/a").getScheme() == ""',
  'isURL("https://x") && isURL("/a") && !isURL("a/b")',
  'object.?metadata.?annotations.?key.orValue("none") == "none"',
];

test("Kubernetes' functions", () => {
  for (const expression of KUBERNETES)
    assert.equal(evaluate(expression), true, `${expression}: ${String(evaluate(expression))}`);
});

test('what does not compile says where, and what to use instead', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['object.x ==', 'unexpected token: EOF at column 12'],
    ['true &&\n objet.x', 'unknown variable: objet at line 2, column 2'],
    ['1 + 1', 'must yield a boolean, not `int`'],
    ['"x" == 1', 'no such overload: string == int at column 1'],
    ['"a" + 1 == "a"', 'no such overload: string + int at column 1'],
    [
      'authorizer.group("").resource("pods").check("get").allowed()',
      '`authorizer` is not offered, only `object`, `oldObject`, `request`: Portcullis does not ask the API server for permissions here',
    ],
    [
      'object.spec.containers.all(c, params.x == c)',
      '`params` is not offered, only `object`, `oldObject`, `request`: use the `settings` of the policy',
    ],
    [
      'namespaceObject.metadata.name == "a"',
      '`namespaceObject` is not offered, only `object`, `oldObject`, `request`: use `namespaceSelector` to match by the labels of the namespace',
    ],
  ];
  for (const [expression, message] of cases) {
    const fault = compileCel(expression);
    assert.ok(isFault(fault), expression);
    assert.deepEqual([fault.code, fault.message], ['PC_POLICY_CONDITION', message]);
  }
  assert.ok(isFault(compileCel(`${'('.repeat(5000)}true${')'.repeat(5000)}`)));
  assert.ok(isFault(compileCel(`[${'1,'.repeat(600)}] == []`)));
});

test('what fails says which part, and shows nothing of the request', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['object.data.password == "x"', 'no such key in `object.data.password`'],
    ['bool(object.data.token)', 'bool conversion error in `bool(object.data.token)`'],
    ['duration(object.data.token) > duration("1s")', 'invalid duration in `duration(object.data.token)`'],
    ['quantity(object.data.token).sign() == 1', 'quantity() takes a quantity such as `500m` or `16Mi`'],
    ['object.data', 'did not yield a boolean'],
  ];
  for (const [expression, message] of cases) {
    const fault = evaluate(expression, { data: { token: 'hunter2' } });
    assert.ok(isFault(fault), expression);
    assert.deepEqual([fault.code, fault.message], ['PC_POLICY_CONDITION', message]);
    assert.ok(!JSON.stringify([fault.message, fault.data, String(fault.cause)]).includes('hunter2'));
  }
});

test('a fault never says what is in the request, whatever the function', () => {
  const secret = 'hunter2';
  for (const call of [
    'int(X)',
    'double(X)',
    'uint(X)',
    'timestamp(X)',
    'ip(X)',
    'cidr(X)',
    'url(X)',
    '"a".matches(X + "(")',
    '{}[X]',
  ]) {
    const fault = evaluate(`${call.replace('X', 'object.token')} == 1 || false`, { token: secret });
    if (isFault(fault)) assert.ok(!`${fault.message} ${JSON.stringify(fault.data)}`.includes(secret), call);
  }
});

test('an expression cannot go on for long', () => {
  const list = Array.from({ length: 3000 }, (_, index) => index);
  const object = { list, text: 'a'.repeat(1_000_000) };
  const doubled = `[object.list]${'.map(x, x + x)'.repeat(40)}.size() > 0`;
  const dear = [
    'object.list.all(a, object.list.all(b, a + b >= 0))',
    'object.list.exists(a, object.list.exists(b, object.list.exists(c, a + b + c < 0)))',
    // Failures of single steps and `||` do not hide it.
    'object.list.all(a, object.list.all(b, object.missing == a)) || true',
    doubled,
    `["a"]${'.map(x, x + x)'.repeat(60)}.size() > 0`,
    'object.text.matches("(a|aa)*$b")',
    'object.list.all(x, object.text.replace("a", "bb") != "")',
    `cel.bind(a, object.list + object.list, ${'cel.bind(a, a + a, '.repeat(30)}a.size() > 0${')'.repeat(31)}`,
  ];
  for (const expression of dear) {
    const fault = evaluate(expression, object);
    assert.ok(isFault(fault), `${expression} gave ${String(fault)}`);
    assert.equal(fault.message, 'is too dear for this review, look at fewer parts of the object', expression);
  }
});

test('what expressions usually do is far from the limit', () => {
  const program = compileCel(
    'object.spec.containers.all(c, c.image.matches("^[a-z.]+/.+$") && c.ports.all(p, p < 1024))',
  );
  assert.ok(!isFault(program));
  const budget = new CelBudget();
  program.evaluate({ object: toCelValue(POD), oldObject: null, request: null }, budget);
  assert.ok(CEL_BUDGET - budget.left < CEL_BUDGET / 100, String(budget.left));
  // Every step is counted: the meter reaches into the library, and this is where it shows when it no longer does.
  assert.ok(CEL_BUDGET - budget.left > 50, String(budget.left));
});

test('an evaluation does not pay for the one before it', () => {
  const object = { list: Array.from({ length: 3000 }, (_, index) => index) };
  assert.ok(isFault(evaluate('object.list.all(a, object.list.all(b, a + b >= 0))', object)));
  assert.equal(evaluate('object.list.all(a, a >= 0)', object), true);
});
