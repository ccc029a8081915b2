/**
 * Documents of GraphQL as gqlparser has them, whose names of fields policies read: an answer is such a tree without what is
 * empty. What is absent here is null there.
 */
export interface QueryDocument {
  Operations: Operation[];
  Fragments: Fragment[];
}

export interface Operation {
  Operation: string;
  Name: string;
  VariableDefinitions: Variable[];
  Directives: Directive[];
  SelectionSet: Selection[];
  Comment?: Comments | undefined;
}

export interface Fragment {
  Name: string;
  VariableDefinition: Variable[];
  TypeCondition: string;
  Directives: Directive[];
  SelectionSet: Selection[];
  Comment?: Comments | undefined;
}

export interface Variable {
  Variable: string;
  Type?: TypeReference | undefined;
  DefaultValue?: Value | undefined;
  Directives: Directive[];
  Used: boolean;
  Comment?: Comments | undefined;
}

export type Selection = Field | Spread | InlineFragment;

export interface Field {
  Alias: string;
  Name: string;
  Arguments: Argument[];
  Directives: Directive[];
  SelectionSet: Selection[];
  Comment?: Comments | undefined;
}

export interface Spread {
  Name: string;
  Directives: Directive[];
  Comment?: Comments | undefined;
}

export interface InlineFragment {
  TypeCondition: string;
  Directives: Directive[];
  SelectionSet: Selection[];
  Comment?: Comments | undefined;
}

export interface Argument {
  Name: string;
  Value?: Value | undefined;
  Comment?: Comments | undefined;
}

export interface Directive {
  Name: string;
  Arguments: Argument[];
  Location: string;
}

export interface Value {
  Raw: string;
  Children: ChildValue[];
  Kind: number;
  ExpectedTypeHasDefault: boolean;
  Comment?: Comments | undefined;
}

/** Of a value, by their numbers. */
export const KIND = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

export interface ChildValue {
  Name: string;
  Value?: Value | undefined;
  Comment?: Comments | undefined;
}

export interface TypeReference {
  /** Empty for a list. */
  NamedType: string;
  Elem?: TypeReference | undefined;
  NonNull: boolean;
}

export interface Comments {
  List: { Value: string }[];
}

export interface SchemaDocument {
  Schema: SchemaDefinition[];
  SchemaExtension: SchemaDefinition[];
  Directives: DirectiveDefinition[];
  Definitions: Definition[];
  Extensions: Definition[];
  Comment?: Comments | undefined;
}

interface Described {
  Description: string;
  BeforeDescriptionComment?: Comments | undefined;
  AfterDescriptionComment?: Comments | undefined;
}

export interface SchemaDefinition extends Described {
  Directives: Directive[];
  OperationTypes: OperationType[];
  EndOfDefinitionComment?: Comments | undefined;
}

export interface OperationType {
  Operation: string;
  Type: string;
  Comment?: Comments | undefined;
}

export type DefinitionKind = 'SCALAR' | 'OBJECT' | 'INTERFACE' | 'UNION' | 'ENUM' | 'INPUT_OBJECT';

export interface Definition extends Described {
  Kind: string;
  Name: string;
  Directives: Directive[];
  Interfaces: string[];
  Fields: FieldDefinition[];
  Types: string[];
  EnumValues: EnumValue[];
  BuiltIn: boolean;
  EndOfDefinitionComment?: Comments | undefined;
}

export interface FieldDefinition extends Described {
  Name: string;
  Arguments: ArgumentDefinition[];
  DefaultValue?: Value | undefined;
  Type?: TypeReference | undefined;
  Directives: Directive[];
}

export interface ArgumentDefinition extends Described {
  Name: string;
  DefaultValue?: Value | undefined;
  Type?: TypeReference | undefined;
  Directives: Directive[];
}

export interface EnumValue extends Described {
  Name: string;
  Directives: Directive[];
}

export interface DirectiveDefinition extends Described {
  Name: string;
  Arguments: ArgumentDefinition[];
  Locations: string[];
  IsRepeatable: boolean;
}
