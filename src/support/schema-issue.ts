import type { z } from 'zod';

/** The message for a schema violation. */
export function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key));
    return `unknown ${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}`;
  }
  const isEmpty = issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number';
  return isEmpty ? 'must not be empty' : issue.message.replace(/^Invalid input: /, '');
}
