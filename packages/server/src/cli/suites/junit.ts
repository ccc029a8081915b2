import type { SuiteResult } from './run-suite.ts';

/** The report that CI systems read. */
export function junitReport(suites: readonly SuiteResult[]): string {
  const rows = suites.flatMap(({ file, cases }) => {
    const failures = cases.filter((item) => item.failures.length > 0).length;
    return [
      `  <testsuite name="${escape(file)}" tests="${cases.length}" failures="${failures}">`,
      ...cases.map(({ name, failures: problems, durationMs }) => {
        const head = `    <testcase name="${escape(name)}" classname="${escape(file)}" time="${(durationMs / 1000).toFixed(3)}"`;
        if (problems.length === 0) return `${head}/>`;
        return `${head}><failure message="${escape(problems[0] ?? '')}">${escape(problems.join('\n'))}</failure></testcase>`;
      }),
      '  </testsuite>',
    ];
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${rows.join('\n')}\n</testsuites>\n`;
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
  };
  return text
    .replace(/[&<>"']/g, (character) => names[character] ?? character)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '\uFFFD');
}
