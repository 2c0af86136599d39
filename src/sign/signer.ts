/** A signing key in a key file, the environment, gpg-agent, a smart card or an HSM. */
export interface Signer {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  /** Of the signing key or subkey, upper-case hex. */
  readonly signingFingerprint: string;
  /** `rsa4096`, `ed25519`, ... */
  readonly algorithm: string;
  readonly userId: string;
  /** Creation time, seconds since 1970-01-01 UTC. Clients reject older signatures. */
  readonly validFrom: number;
  /** Seconds since 1970-01-01 UTC; undefined if it never expires. */
  readonly expires: number | undefined;
  /** The certificate (public key with user IDs and binding signatures), ASCII-armored. */
  readonly publicKey: string;
  /**
   * A detached binary signature: one version 4 OpenPGP signature packet of type 0x00, with SHA-256 for RSA, and SHA-256 or
   * SHA-512 for Ed25519. The same key, bytes and date give the same signature.
   *
   * @param date signature creation time, seconds since 1970-01-01 UTC
   * @throws KubeparcelError of kind 'usage' for a date at which the key is not valid
   */
  signDetached(data: AsyncIterable<Uint8Array> | Uint8Array, date: number): Promise<Uint8Array>;
  /** A cleartext-signed message (RFC 9580, section 7) for InRelease. A trailing line feed is not signed. */
  clearsign(text: string, date: number): Promise<string>;
}
