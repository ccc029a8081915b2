import type { JsonObject, JsonValue } from '@portcullis/contract';
import type { Config } from './config.ts';

/** The effective configuration as the management API shows it: no digest of a token, no header or query of a receiver. */
export function redactConfig(config: Config): JsonObject {
  const { management, telemetry } = config;
  const hidden = {
    ...config,
    management: {
      ...management,
      tokens: management.tokens.map((token) => ({ ...token, sha256: '[redacted]' })),
    },
    telemetry: {
      ...telemetry,
      otlp: {
        ...telemetry.otlp,
        endpoint: withoutQuery(telemetry.otlp.endpoint),
        headers: Object.fromEntries(Object.keys(telemetry.otlp.headers).map((name) => [name, '[redacted]'])),
      },
    },
  };
  return members(hidden);
}

/** Some receivers want their key in the query. */
function withoutQuery(endpoint: string | undefined): string | undefined {
  return endpoint?.replace(/[?#].*$/s, '');
}

function members(section: object): JsonObject {
  const present = Object.entries(section).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]: [string, unknown]) => [name, plain(value)]));
}

function plain(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return members(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
