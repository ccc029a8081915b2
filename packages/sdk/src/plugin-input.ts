import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/** A request in short: what is absent is filled in as a plain CREATE by nobody in particular. */
export interface ReviewInShort {
  readonly operation?: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly object?: JsonValue;
  readonly oldObject?: JsonValue;
  /** Default: the namespace of the object. */
  readonly namespace?: string;
  /** Default: the name of the object. */
  readonly name?: string;
  readonly userInfo?: JsonObject;
}

/** The JSON document that a module of the plugin ABI reads. */
export interface PluginInput {
  readonly operation: string;
  readonly object?: JsonValue;
  readonly oldObject?: JsonValue;
  readonly namespace: string;
  readonly name: string;
  readonly userInfo: JsonObject;
  readonly context: JsonObject;
  readonly pluginConfig?: JsonValue;
}

/** As the server builds it: settings that are empty are not sent. */
export function createPluginInput(review: ReviewInShort, settings: JsonValue = {}): PluginInput {
  const subject = review.object ?? review.oldObject;
  const metadata = isJsonObject(subject) ? subject['metadata'] : undefined;
  return {
    operation: review.operation ?? 'CREATE',
    ...(review.object === undefined ? {} : { object: review.object }),
    ...(review.oldObject === undefined ? {} : { oldObject: review.oldObject }),
    namespace: review.namespace ?? textAt(metadata, 'namespace'),
    name: review.name ?? textAt(metadata, 'name'),
    userInfo: { username: 'author', groups: [], extra: {}, ...review.userInfo },
    context: {},
    ...(isEmpty(settings) ? {} : { pluginConfig: settings }),
  };
}

function textAt(value: JsonValue | undefined, key: string): string {
  const found = isJsonObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : '';
}

function isEmpty(settings: JsonValue): boolean {
  return settings === null || (isJsonObject(settings) && Object.keys(settings).length === 0);
}
