/** As in deb-control(5): << is strictly earlier, >> strictly later. RPM writes < and >. */
export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

export interface RelationTarget {
  /** A package, a virtual package, or in an RPM also a path or soname; in the distribution's spelling. */
  readonly name: string;
  /** `version` is in the format's spelling: [epoch:]upstream[-revision]. */
  readonly constraint?: { readonly operator: Operator; readonly version: string } | undefined;
}

/** Satisfied if any target is: `a | b` in a DEB, `(a or b)` in an RPM. */
export interface Relation {
  readonly anyOf: readonly RelationTarget[];
}

/** preDepends is `Requires(pre)` in RPM, replaces is Obsoletes; breaks exists only in DEB, supplements only in RPM. */
export const RELATION_KINDS = [
  'preDepends',
  'depends',
  'recommends',
  'suggests',
  'enhances',
  'supplements',
  'conflicts',
  'breaks',
  'replaces',
  'provides',
] as const;

export type RelationKind = (typeof RELATION_KINDS)[number];

export function noRelations(): Record<RelationKind, Relation[]> {
  return Object.fromEntries(RELATION_KINDS.map((kind) => [kind, []])) as unknown as Record<RelationKind, Relation[]>;
}

/** `a (>= 1) | b`, in either format. */
export function formatRelation(relation: Relation): string {
  return relation.anyOf
    .map(({ name, constraint }) =>
      constraint === undefined ? name : `${name} (${constraint.operator} ${constraint.version})`,
    )
    .join(' | ');
}
