/** One key that can sign, wherever it lives: a key file, the environment, gpg's agent, a smart card, an HSM. */
export interface Signer {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** Of the key or subkey that signs, upper-case hex. */
  readonly signingFingerprint: string;
  /** `rsa4096`, `ed25519`, ... */
  readonly algorithm: string;
  readonly userId: string;
  /** The first second at which the key can sign: that of its making. Clients refuse signatures that are older. */
  readonly validFrom: number;
  /** Seconds since 1970-01-01 UTC; undefined when it never expires. */
  readonly expires: number | undefined;
  /** The certificate (public key with user IDs and binding signatures), ASCII-armored. */
  readonly publicKey: string;
  /**
   * A detached binary signature (one OpenPGP signature packet of version 4, type 0x00, SHA-256 with RSA, SHA-256 or
   * SHA-512 with Ed25519) over the bytes. The same
   * key, bytes and date give the same signature.
   *
   * @param date signature creation time, seconds since 1970-01-01 UTC
   * @throws KubeparcelError of kind 'usage' for a date at which the key is not valid
   */
  signDetached(data: AsyncIterable<Uint8Array> | Uint8Array, date: number): Promise<Uint8Array>;
  /** A cleartext-signed message (RFC 9580, section 7), as InRelease is one. A line feed at the text's end is no part of what is signed. */
  clearsign(text: string, date: number): Promise<string>;
}
