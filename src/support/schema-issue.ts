import type { z } from 'zod';

/** The message for a schema violation. */
export function issueMessage(issue: z.core.$ZodIssue): string {
  const isEmpty = issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number';
  return isEmpty ? 'must not be empty' : issue.message;
}
