import type { TextExpectation } from './expectation.ts';

/** One thing that a check looked at. */
export interface Finding {
  /** What it is: mode of /etc/default/kubelet. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

/** Characters of an output that a finding shows. */
const SHOWN = 2000;

/** Holds a text against what it must be. */
export function judgeText(what: string, expectation: TextExpectation | undefined, text: string): Finding[] {
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

/** Two values that must be the same; nothing where nothing is expected. */
export function judgeValue(what: string, expected: string | undefined, found: string): Finding[] {
  return expected === undefined ? [] : [{ what, expected, found: shown(found), ok: expected === found }];
}

/** Its beginning and its end, where it is long. */
export function shown(text: string): string {
  const short = withoutLastBreaks(text);
  if (short.length <= SHOWN) return short;
  const half = SHOWN / 2;
  return `${short.slice(0, half)}\n[... ${short.length - SHOWN} characters ...]\n${short.slice(-half)}`;
}

function withoutLastBreaks(text: string): string {
  return text.replace(/\n+$/, '');
}
