import { ARCHITECTURES } from '../../model/architecture.ts';
import { FORMATS } from '../../model/format.ts';
import type { ClosureFault } from './closure.ts';
import { architecturesOf } from './mirrors.ts';

/** A fault for people: what is missing and who asks, where, and what to do about it. */
export function faultTexts(fault: ClosureFault): { what: string; where: string; hint: string } {
  const { minor, format, architecture, missing, askedBy, others, distributions, ours } = fault;
  const seen = others.length === 0 ? '' : `; there is ${[...new Set(others)].slice(0, 4).join(', ')}`;
  const name = missing.split(' ')[0] ?? missing;
  return {
    what:
      askedBy === undefined ? `${missing} is missing` : `${askedBy} asks for ${missing}, which nothing provides${seen}`,
    where: `Kubernetes ${minor}, ${format} ${architecture}, on ${some(distributions)}`,
    hint: ours
      ? `kubeparcel build ${minor} --packages ${name} --formats ${format} --arch ${goArchitecture(architecture)}, then kubeparcel repo add`
      : `if ${distributions[0]} has it, read its lists again: kubeparcel repo provided ${distributions.slice(0, 3).join(' ')}`,
  };
}

/** Three of them, and how many more. */
function some(words: readonly string[]): string {
  const more = words.length - 3;
  return more <= 0 ? words.join(', ') : `${words.slice(0, 3).join(', ')} and ${more} more`;
}

/** An architecture of a package in Kubernetes' words, which the command line takes. */
function goArchitecture(word: string): string {
  for (const format of FORMATS) {
    const at = architecturesOf(format).indexOf(word);
    if (at >= 0) return ARCHITECTURES[at] ?? word;
  }
  return word;
}
