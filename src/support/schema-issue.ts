import type { z } from 'zod';

/** The message for a schema violation. */
export function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key));
    return `unknown ${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}`;
  }
  if (issue.code === 'invalid_key') return `invalid key: ${issue.issues[0]?.message ?? issue.message}`;
  const isEmpty = issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number';
  return isEmpty ? 'must not be empty' : issue.message.replace(/^Invalid (input|option): /, '');
}
