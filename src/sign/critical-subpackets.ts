import { SignaturePacket } from 'openpgp';

const CRITICAL = 0x80;
/** Length of the fields before the hashed subpackets of a version 4 signature: version, type, algorithms. */
const FIELDS_LENGTH = 4;
const LENGTH_LENGTH = 2;

interface SubpacketWriter {
  version: number;
  /** Two bytes of length, then the subpackets. */
  writeHashedSubPackets(): Uint8Array;
}

/**
 * Patches openpgp.js to mark no subpacket as critical, like GnuPG. openpgp.js marks times and key flags as critical and has
 * no option to change this. rpm up to 4.16 rejects signatures with any critical subpacket, and rpm 4.18 rejects keys with
 * a critical expiry. Every reader understands these subpackets, so the flag is not needed (RFC 9580, section 5.2.3.7).
 */
export function markNothingCritical(): void {
  const prototype = SignaturePacket.prototype as unknown as SubpacketWriter & { [DONE]?: true };
  if (prototype[DONE] === true) return;
  const write = prototype.writeHashedSubPackets;
  if (typeof write !== 'function')
    throw new Error('unsupported version of openpgp.js: writeHashedSubPackets is missing');
  prototype.writeHashedSubPackets = function (this: SubpacketWriter): Uint8Array {
    const area = write.call(this);
    if (this.version === 4) {
      for (const at of typeOffsets(area.subarray(LENGTH_LENGTH))) {
        const place = LENGTH_LENGTH + at;
        area[place] = (area[place] ?? 0) & ~CRITICAL;
      }
    }
    return area;
  };
  prototype[DONE] = true;
}

const DONE = Symbol('kubeparcel');

/** Whether a version 4 signature has a critical hashed subpacket. */
export function hasCriticalSubpacket({ version, signatureData }: SignaturePacket): boolean {
  if (version !== 4 || signatureData === null) return false;
  const area = signatureData.subarray(FIELDS_LENGTH + LENGTH_LENGTH);
  return [...typeOffsets(area)].some((at) => ((area[at] ?? 0) & CRITICAL) !== 0);
}

/** Offsets of the type octets of all subpackets (RFC 9580, section 5.2.3.7). */
function* typeOffsets(area: Uint8Array): Generator<number, void, undefined> {
  for (let at = 0; at < area.length; ) {
    const first = area[at] ?? 0;
    const header = first < 192 ? 1 : first < 255 ? 2 : 5;
    const view = new DataView(area.buffer, area.byteOffset + at, Math.min(header, area.length - at));
    if (view.byteLength < header) return;
    const length =
      header === 1 ? first : header === 2 ? ((first - 192) << 8) + view.getUint8(1) + 192 : view.getUint32(1);
    yield at + header;
    at += header + length;
  }
}
