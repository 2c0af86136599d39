import type { ReadPackage } from '../layout/packager.ts';
import { formatSense } from './dependency.ts';
import { type EncodedValue, type Header, numbersOf, textsOf } from './read-header.ts';

/**
 * Header tags by rpm's names (RPM V4 format, "Tags"; rpm --querytags). Numbers in the signature header overlap these; see
 * SIGNATURE_TAGS.
 */
export const TAGS = {
  HEADERI18NTABLE: 100,
  NAME: 1000,
  VERSION: 1001,
  RELEASE: 1002,
  EPOCH: 1003,
  SUMMARY: 1004,
  DESCRIPTION: 1005,
  BUILDTIME: 1006,
  BUILDHOST: 1007,
  SIZE: 1009,
  DISTRIBUTION: 1010,
  VENDOR: 1011,
  LICENSE: 1014,
  PACKAGER: 1015,
  GROUP: 1016,
  URL: 1020,
  OS: 1021,
  ARCH: 1022,
  PREIN: 1023,
  POSTIN: 1024,
  PREUN: 1025,
  POSTUN: 1026,
  OLDFILENAMES: 1027,
  FILESIZES: 1028,
  FILEMODES: 1030,
  FILERDEVS: 1033,
  FILEMTIMES: 1034,
  FILEDIGESTS: 1035,
  FILELINKTOS: 1036,
  FILEFLAGS: 1037,
  FILEUSERNAME: 1039,
  FILEGROUPNAME: 1040,
  SOURCERPM: 1044,
  FILEVERIFYFLAGS: 1045,
  ARCHIVESIZE: 1046,
  PROVIDENAME: 1047,
  REQUIREFLAGS: 1048,
  REQUIRENAME: 1049,
  REQUIREVERSION: 1050,
  CONFLICTFLAGS: 1053,
  CONFLICTNAME: 1054,
  CONFLICTVERSION: 1055,
  EXCLUDEARCH: 1059,
  EXCLUDEOS: 1060,
  EXCLUSIVEARCH: 1061,
  EXCLUSIVEOS: 1062,
  RPMVERSION: 1064,
  TRIGGERSCRIPTS: 1065,
  TRIGGERNAME: 1066,
  TRIGGERVERSION: 1067,
  TRIGGERFLAGS: 1068,
  TRIGGERINDEX: 1069,
  VERIFYSCRIPT: 1079,
  CHANGELOGTIME: 1080,
  CHANGELOGNAME: 1081,
  CHANGELOGTEXT: 1082,
  PREINPROG: 1085,
  POSTINPROG: 1086,
  PREUNPROG: 1087,
  POSTUNPROG: 1088,
  BUILDARCHS: 1089,
  OBSOLETENAME: 1090,
  VERIFYSCRIPTPROG: 1091,
  TRIGGERSCRIPTPROG: 1092,
  COOKIE: 1094,
  FILEDEVICES: 1095,
  FILEINODES: 1096,
  FILELANGS: 1097,
  PREFIXES: 1098,
  SOURCEPACKAGE: 1106,
  PROVIDEFLAGS: 1112,
  PROVIDEVERSION: 1113,
  OBSOLETEFLAGS: 1114,
  OBSOLETEVERSION: 1115,
  DIRINDEXES: 1116,
  BASENAMES: 1117,
  DIRNAMES: 1118,
  OPTFLAGS: 1122,
  DISTURL: 1123,
  PAYLOADFORMAT: 1124,
  PAYLOADCOMPRESSOR: 1125,
  PAYLOADFLAGS: 1126,
  PLATFORM: 1132,
  FILECOLORS: 1140,
  FILECLASS: 1141,
  CLASSDICT: 1142,
  FILEDEPENDSX: 1143,
  FILEDEPENDSN: 1144,
  DEPENDSDICT: 1145,
  SOURCEPKGID: 1146,
  POLICIES: 1150,
  PRETRANS: 1151,
  POSTTRANS: 1152,
  PRETRANSPROG: 1153,
  POSTTRANSPROG: 1154,
  DISTTAG: 1155,
  LONGFILESIZES: 5008,
  LONGSIZE: 5009,
  FILECAPS: 5010,
  FILEDIGESTALGO: 5011,
  BUGURL: 5012,
  PREINFLAGS: 5020,
  POSTINFLAGS: 5021,
  PREUNFLAGS: 5022,
  POSTUNFLAGS: 5023,
  PRETRANSFLAGS: 5024,
  POSTTRANSFLAGS: 5025,
  VERIFYSCRIPTFLAGS: 5026,
  TRIGGERSCRIPTFLAGS: 5027,
  VCS: 5034,
  ORDERNAME: 5035,
  ORDERVERSION: 5036,
  ORDERFLAGS: 5037,
  RECOMMENDNAME: 5046,
  RECOMMENDVERSION: 5047,
  RECOMMENDFLAGS: 5048,
  SUGGESTNAME: 5049,
  SUGGESTVERSION: 5050,
  SUGGESTFLAGS: 5051,
  SUPPLEMENTNAME: 5052,
  SUPPLEMENTVERSION: 5053,
  SUPPLEMENTFLAGS: 5054,
  ENHANCENAME: 5055,
  ENHANCEVERSION: 5056,
  ENHANCEFLAGS: 5057,
  ENCODING: 5062,
  FILETRIGGERSCRIPTS: 5066,
  FILETRIGGERSCRIPTPROG: 5067,
  FILETRIGGERSCRIPTFLAGS: 5068,
  FILETRIGGERNAME: 5069,
  FILETRIGGERINDEX: 5070,
  FILETRIGGERVERSION: 5071,
  FILETRIGGERFLAGS: 5072,
  TRANSFILETRIGGERSCRIPTS: 5076,
  TRANSFILETRIGGERSCRIPTPROG: 5077,
  TRANSFILETRIGGERSCRIPTFLAGS: 5078,
  TRANSFILETRIGGERNAME: 5079,
  TRANSFILETRIGGERINDEX: 5080,
  TRANSFILETRIGGERVERSION: 5081,
  TRANSFILETRIGGERFLAGS: 5082,
  FILETRIGGERPRIORITIES: 5084,
  TRANSFILETRIGGERPRIORITIES: 5085,
  FILESIGNATURES: 5090,
  FILESIGNATURELENGTH: 5091,
  PAYLOADDIGEST: 5092,
  PAYLOADDIGESTALGO: 5093,
  MODULARITYLABEL: 5096,
  PAYLOADDIGESTALT: 5097,
  SPEC: 5099,
  TRANSLATIONURL: 5100,
  UPSTREAMRELEASES: 5101,
  PREUNTRANS: 5103,
  POSTUNTRANS: 5104,
  PREUNTRANSPROG: 5105,
  POSTUNTRANSPROG: 5106,
  PREUNTRANSFLAGS: 5107,
  POSTUNTRANSFLAGS: 5108,
  PAYLOADSIZE: 5112,
  PAYLOADSIZEALT: 5113,
  RPMFORMAT: 5114,
  FILEMIMEINDEX: 5115,
  MIMEDICT: 5116,
  PACKAGEDIGESTS: 5118,
  PACKAGEDIGESTALGOS: 5119,
  SOURCENEVR: 5120,
  PAYLOADSHA512: 5121,
  PAYLOADSHA512ALT: 5122,
  PAYLOADSHA3_256: 5123,
  PAYLOADSHA3_256ALT: 5124,
} as const;

/** Tags of the signature header by rpm's names. */
export const SIGNATURE_TAGS = {
  DSAHEADER: 267,
  RSAHEADER: 268,
  SHA1HEADER: 269,
  LONGSIGSIZE: 270,
  LONGARCHIVESIZE: 271,
  SHA256HEADER: 273,
  FILESIGNATURES: 274,
  FILESIGNATURELENGTH: 275,
  VERITYSIGNATURES: 276,
  VERITYSIGNATUREALGO: 277,
  OPENPGP: 278,
  SHA3_256HEADER: 279,
  SIGSIZE: 1000,
  SIGPGP: 1002,
  SIGMD5: 1004,
  SIGGPG: 1005,
  ARCHIVESIZE: 1007,
  RESERVEDSPACE: 1008,
} as const;

/** The GROUP that rpmbuild writes for a package without one. */
export const NO_GROUP = 'Unspecified';

/** Limits for displaying one tag; file lists can have megabytes. */
const ITEMS_MAX = 10_000;
const BYTES_MAX = 1024;

/** All tags with a name as text, first of the signature header, then of the header; list items on separate lines. */
export function readableTags(signatures: Header, header: Header): ReadPackage['metadata'] {
  return [...readableEntries(signatures, SIGNATURE_NAMES), ...readableEntries(header, NAMES)];
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

function readableEntries(header: Header, names: ReadonlyMap<number, string>): (readonly [string, string])[] {
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
