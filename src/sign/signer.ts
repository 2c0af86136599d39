/** One key that can sign, wherever it lives: a key file, the environment, gpg's agent, a smart card, an HSM. */
export interface Signer {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** Of the key or subkey that signs, upper-case hex. */
  readonly signingFingerprint: string;
  /** `rsa4096`, `ed25519`, ... */
  readonly algorithm: string;
  readonly userId: string;
  /** Seconds since 1970-01-01 UTC; undefined when it never expires. */
  readonly expires: number | undefined;
  /** The certificate (public key with user IDs and binding signatures), ASCII-armored. */
  readonly publicKey: string;
  /**
   * A detached binary signature (one OpenPGP signature packet, type 0x00, SHA-256 or stronger) over the bytes.
   *
   * @param date signature creation time, seconds since 1970-01-01 UTC
   */
  signDetached(data: AsyncIterable<Uint8Array> | Uint8Array, date: number): Promise<Uint8Array>;
  /** A cleartext-signed message (RFC 9580, section 7), as InRelease is one. */
  clearsign(text: string, date: number): Promise<string>;
}
