import { AWS } from './aws-signature.ts';
import type { Builtin } from './builtin.ts';
import { ENCODINGS } from './encodings.ts';
import { JWT } from './jwt/jwt.ts';
import { GRAPHQL, JSON_SCHEMA } from './lazy-families.ts';
import { MISC } from './misc.ts';
import { NET } from './net.ts';
import { OBJECTS } from './objects.ts';
import { REGEX } from './regex.ts';
import { SEMVER } from './semver.ts';
import { STRINGS } from './strings.ts';
import { TEMPLATES } from './render-template.ts';
import { TIME } from './time.ts';
import { UNITS } from './units.ts';
import { X509 } from './x509/x509.ts';
import { YAML } from './yaml/yaml.ts';

/** The builtins that a host supplies, by name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({
    ...STRINGS,
    ...REGEX,
    ...SEMVER,
    ...UNITS,
    ...TIME,
    ...NET,
    ...ENCODINGS,
    ...OBJECTS,
    ...YAML,
    ...GRAPHQL,
    ...JSON_SCHEMA,
    ...JWT,
    ...AWS,
    ...X509,
    ...TEMPLATES,
    ...MISC,
  }),
);
