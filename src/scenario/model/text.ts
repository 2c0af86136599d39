import type { TextExpectation } from './expectation.ts';

/** The result of one comparison of a check. */
export interface Finding {
  /** mode of /etc/default/kubelet */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

/** Maximum number of characters of an output in a finding. */
const MAX_SHOWN = 2000;

/** Compares a text with its expectation. */
export function compareText(what: string, expectation: TextExpectation | undefined, text: string): Finding[] {
  if (expectation === undefined) return [];
  const { equals, contains = [], lacks = [], matches = [] } = expectation;
  const found = shown(text);
  return [
    ...(equals === undefined
      ? []
      : [{ what, expected: equals, found, ok: withoutLastBreaks(text) === withoutLastBreaks(equals) }]),
    ...contains.map((part) => ({ what, expected: `contains ${JSON.stringify(part)}`, found, ok: text.includes(part) })),
    ...lacks.map((part) => ({ what, expected: `lacks ${JSON.stringify(part)}`, found, ok: !text.includes(part) })),
    ...matches.map((source) => ({
      what,
      expected: `matches /${source}/m`,
      found,
      ok: new RegExp(source, 'm').test(text),
    })),
  ];
}

/** Compares two values; no finding if nothing is expected. */
export function compareValue(what: string, expected: string | undefined, found: string): Finding[] {
  return expected === undefined ? [] : [{ what, expected, found: shown(found), ok: expected === found }];
}

/** Shortens a long text to its beginning and end. */
export function shown(text: string): string {
  const short = withoutLastBreaks(text);
  if (short.length <= MAX_SHOWN) return short;
  const half = MAX_SHOWN / 2;
  return `${short.slice(0, half)}\n[... ${short.length - MAX_SHOWN} characters ...]\n${short.slice(-half)}`;
}

function withoutLastBreaks(text: string): string {
  return text.replace(/\n+$/, '');
}
