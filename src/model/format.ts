export const FORMATS = ['deb', 'rpm'] as const;

export type Format = (typeof FORMATS)[number];

/** Maintainer scripts (deb-postinst(5) and its kin) and scriptlets (rpm-scriptlets(7)) by the name their format gives. */
export const SCRIPT_NAMES = {
  deb: ['preinst', 'postinst', 'prerm', 'postrm'],
  rpm: ['pretrans', 'pre', 'post', 'preun', 'postun', 'posttrans', 'preuntrans', 'postuntrans', 'verifyscript'],
} as const satisfies Record<Format, readonly string[]>;

export type ScriptName = (typeof SCRIPT_NAMES)[Format][number];
