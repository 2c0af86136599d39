import type { ReadPackage } from '../layout/packager.ts';
import { type EncodedValue, type Header, numbersOf, textsOf } from './header-reader.ts';
import { formatSense } from './sense.ts';
import { SIGNATURE_TAGS, TAGS } from './tags.ts';

/** What is shown of one tag; lists of many files go on for megabytes. */
const ITEMS_MAX = 10_000;
const BYTES_MAX = 1024;

/** All tags that have a name, in the order of signature header and header, as text: list items one a line. */
export function readableTags(signatures: Header, header: Header): ReadPackage['metadata'] {
  return [...readable(signatures, SIGNATURE_NAMES), ...readable(header, NAMES)];
}

const NAMES = namesByNumber(TAGS);
const SIGNATURE_NAMES = namesByNumber(SIGNATURE_TAGS);
const TIMES: ReadonlySet<string> = new Set(['BUILDTIME', 'CHANGELOGTIME']);
const SENSES: ReadonlySet<string> = new Set(
  [
    'REQUIRE',
    'PROVIDE',
    'CONFLICT',
    'OBSOLETE',
    'RECOMMEND',
    'SUGGEST',
    'SUPPLEMENT',
    'ENHANCE',
    'TRIGGER',
    'ORDER',
  ].map((list) => `${list}FLAGS`),
);

function namesByNumber(tags: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(tags).map(([name, number]) => [number, name]));
}

function readable(header: Header, names: ReadonlyMap<number, string>): (readonly [string, string])[] {
  return [...header.values].flatMap(([tag, value]) => {
    const name = names.get(tag);
    return name === undefined ? [] : [[name, formatValue(header, tag, name, value)] as const];
  });
}

function formatValue(header: Header, tag: number, name: string, value: EncodedValue): string {
  if (value.type === 'bin') {
    const hex = Buffer.from(value.bytes.subarray(0, BYTES_MAX)).toString('hex');
    return value.count > BYTES_MAX ? `${hex}... (${value.count} bytes)` : hex;
  }
  const items =
    value.type === 'string' || value.type === 'stringArray' || value.type === 'i18nString'
      ? (textsOf(header, tag) ?? [])
      : (numbersOf(header, tag) ?? []).map((number) => formatNumber(name, number));
  const shown = items.slice(0, ITEMS_MAX).join('\n');
  return items.length > ITEMS_MAX ? `${shown}\n... (${items.length} in all)` : shown;
}

function formatNumber(name: string, number: number): string {
  if (TIMES.has(name)) return new Date(number * 1000).toISOString();
  if (SENSES.has(name)) return formatSense(number);
  return name === 'FILEMODES' ? number.toString(8) : String(number);
}
