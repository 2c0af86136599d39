import type { z } from 'zod';

/** What a schema found wrong, in words for whoever wrote the value. */
export function issueMessage(issue: z.core.$ZodIssue): string {
  const isEmpty = issue.code === 'too_small' && issue.minimum === 1 && issue.origin !== 'number';
  return isEmpty ? 'this is empty' : issue.message;
}
