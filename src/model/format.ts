export const FORMATS = ['deb', 'rpm'] as const;

export type Format = (typeof FORMATS)[number];

/** Names of maintainer scripts (deb-preinst(5) to deb-postrm(5)) and scriptlets (rpm-scriptlets(7)). */
export const SCRIPT_NAMES = {
  deb: ['preinst', 'postinst', 'prerm', 'postrm'],
  rpm: ['pretrans', 'pre', 'post', 'preun', 'postun', 'posttrans', 'preuntrans', 'postuntrans', 'verifyscript'],
} as const satisfies Record<Format, readonly string[]>;

export type ScriptName = (typeof SCRIPT_NAMES)[Format][number];
