/** What is asked: about a request, about an object that is there already, about any JSON. */
export type KubewardenQuestion = 'validate' | 'audit' | 'validate_raw';

export interface KubewardenRoute {
  readonly question: KubewardenQuestion;
  /** Id of a policy or a group; of a member `group/member`. */
  readonly policy: string;
}

const ROUTE = /^\/(validate|audit|validate_raw)\/([^/]+)$/;

/** Of `/validate/{id}`, `/audit/{id}` and `/validate_raw/{id}`; undefined for any other path. */
export function kubewardenRoute(path: string): KubewardenRoute | undefined {
  const match = ROUTE.exec(path);
  if (match === null) return undefined;
  const policy = decode(match[2] as string);
  return policy === undefined ? undefined : { question: match[1] as KubewardenQuestion, policy };
}

function decode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
