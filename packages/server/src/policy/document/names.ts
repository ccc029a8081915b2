const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
/** RFC 1123 subdomain, as Kubernetes names are; the length is checked apart. */
export const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
export const MAX_NAME = 253;

/** The name part of label keys and annotation keys, and label values. */
const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

export function isSubdomain(name: string): boolean {
  return name.length <= MAX_NAME && DNS_SUBDOMAIN.test(name);
}

/** `team`, `app.kubernetes.io/name`. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return QUALIFIED.test(key);
  return isSubdomain(key.slice(0, slash)) && QUALIFIED.test(key.slice(slash + 1));
}

export function isLabelValue(value: string): boolean {
  return value === '' || QUALIFIED.test(value);
}
