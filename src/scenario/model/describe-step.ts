import type { Step } from './scenario.ts';

/** A short description of a step for lists: its title, or what it does. */
export function describeStep(step: Step): string {
  if (step.title !== undefined) return step.title;
  if (step.kind === 'check') {
    const { check } = step;
    const value: unknown = check[check.verb as keyof typeof check];
    return check.verb === 'command' ? `check ${shown(value)}` : `check ${check.verb} ${shown(value)}`;
  }
  const { action } = step;
  switch (action.verb) {
    case 'install':
    case 'repair':
      return `${action.verb} ${shown(action[action.verb as keyof typeof action])}${fromText(action.from, 'current')}${viaText(action)}`;
    case 'change':
      return `change ${shown(action.change)} to ${action.to}${viaText(action)}`;
    case 'remove':
      return `${action.purge ? 'purge' : 'remove'} ${shown(action.remove)}${viaText(action)}`;
    case 'copy':
      return `copy ${action.copy} to ${action.to}`;
    default: {
      const value: unknown = action[action.verb as keyof typeof action];
      return `${action.verb} ${shown(value)}`;
    }
  }
}

function viaText(action: { readonly via: string } | object): string {
  return 'via' in action && action.via !== 'repository' ? ` (${String(action.via)})` : '';
}

function fromText(set: string, usual: string): string {
  return set === usual ? '' : ` from ${set}`;
}

function shown(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  const [line = ''] = text.trim().split('\n');
  return line.length > 60 || line !== text.trim() ? `${line.slice(0, 57)}...` : line;
}
