import type { Reading } from './reading.ts';

/** The kernel's host name, without what cannot be shown; empty when it cannot be told. */
export function readHostName(reading: Reading): string {
  try {
    return reading.host.hostName().trim().slice(0, 300);
  } catch {
    return '';
  }
}

/** RFC 1123 subdomain after lower-casing, at most 253 characters. */
export function isNodeName(hostName: string): boolean {
  const name = hostName.toLowerCase();
  if (name.length === 0 || name.length > 253) return false;
  return name.split('.').every((label) => /^[a-z0-9]$|^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(label));
}
