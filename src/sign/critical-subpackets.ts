import { SignaturePacket } from 'openpgp';

const CRITICAL = 0x80;
/** Version, type, algorithms: what stands before the hashed subpackets of a signature of version 4. */
const FIELDS_LENGTH = 4;
const LENGTH_LENGTH = 2;

interface SubpacketWriter {
  version: number;
  /** Two bytes of length, then the subpackets. */
  writeHashedSubPackets(): Uint8Array;
}

/**
 * Has openpgp.js mark no subpacket as critical, as GnuPG marks none. openpgp.js marks the times and the key flags, and has no
 * setting for it; rpm up to 4.16 then refuses the signature whatever the subpacket says, also that of a package, and
 * rpm 4.18 refuses a key whose expiry is marked. (RFC 9580, section 5.2.3.7: critical asks a reader that does not
 * understand a subpacket to refuse the signature; the times are understood everywhere.)
 */
export function markNothingCritical(): void {
  const prototype = SignaturePacket.prototype as unknown as SubpacketWriter & { [DONE]?: true };
  if (prototype[DONE] === true) return;
  const write = prototype.writeHashedSubPackets;
  if (typeof write !== 'function') throw new Error('openpgp.js writes subpackets in another way than it did');
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

/** Whether any hashed subpacket of a signature of version 4 is marked as critical. */
export function hasCriticalSubpacket({ version, signatureData }: SignaturePacket): boolean {
  if (version !== 4 || signatureData === null) return false;
  const area = signatureData.subarray(FIELDS_LENGTH + LENGTH_LENGTH);
  return [...typeOffsets(area)].some((at) => ((area[at] ?? 0) & CRITICAL) !== 0);
}

/** Where the type of each subpacket stands (RFC 9580, section 5.2.3.7). */
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
