/** Debian's words (deb-control(5)): << strictly earlier, >> strictly later. RPM writes < and > for them. */
export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

export interface RelationTarget {
  /** A package, a virtual name, a path or soname (RPM); in the distribution's own spelling. */
  readonly name: string;
  /** `version` is in the format's spelling: [epoch:]upstream[-revision]. */
  readonly constraint?: { readonly operator: Operator; readonly version: string };
}

/** At least one target must hold. Several: `a | b` in a DEB, `(a or b)` in an RPM. */
export interface Relation {
  readonly anyOf: readonly RelationTarget[];
}

/** preDepends is RPM's `Requires(pre)`; replaces is RPM's Obsoletes; breaks exists in DEBs, supplements in RPMs only. */
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

/** `a (>= 1) | b`, the same for both formats. */
export function formatRelation(relation: Relation): string {
  return relation.anyOf
    .map(({ name, constraint }) =>
      constraint === undefined ? name : `${name} (${constraint.operator} ${constraint.version})`,
    )
    .join(' | ');
}
