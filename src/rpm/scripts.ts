import type { ScriptName } from '../model/format.ts';
import type { Layout, Script } from '../model/layout.ts';
import { type Dependency, SENSE } from './dependency.ts';
import { type HeaderEntry, string, stringArray } from './header.ts';
import { type Header, textOf, textsOf } from './read-header.ts';
import { TAGS } from './tags.ts';

/** Scriptlets (rpm-scriptlets(7)): tags of body and interpreter, and the flag of the dependency on the interpreter. */
const SCRIPTS = {
  pretrans: { body: TAGS.PRETRANS, interpreter: TAGS.PRETRANSPROG, sense: SENSE.preTrans },
  pre: { body: TAGS.PREIN, interpreter: TAGS.PREINPROG, sense: SENSE.pre },
  post: { body: TAGS.POSTIN, interpreter: TAGS.POSTINPROG, sense: SENSE.post },
  preun: { body: TAGS.PREUN, interpreter: TAGS.PREUNPROG, sense: SENSE.preUn },
  postun: { body: TAGS.POSTUN, interpreter: TAGS.POSTUNPROG, sense: SENSE.postUn },
  posttrans: { body: TAGS.POSTTRANS, interpreter: TAGS.POSTTRANSPROG, sense: SENSE.postTrans },
  preuntrans: { body: TAGS.PREUNTRANS, interpreter: TAGS.PREUNTRANSPROG, sense: SENSE.preUnTrans },
  postuntrans: { body: TAGS.POSTUNTRANS, interpreter: TAGS.POSTUNTRANSPROG, sense: SENSE.postUnTrans },
  verifyscript: { body: TAGS.VERIFYSCRIPT, interpreter: TAGS.VERIFYSCRIPTPROG, sense: SENSE.verify },
} as const;
type RpmScriptName = keyof typeof SCRIPTS;

const TRIGGER_INTERPRETERS = [
  TAGS.TRIGGERSCRIPTPROG,
  TAGS.FILETRIGGERSCRIPTPROG,
  TAGS.TRANSFILETRIGGERSCRIPTPROG,
] as const;

/** rpm's embedded Lua interpreter; no dependency. */
export const LUA = '<lua>';

export function scriptEntries(layout: Layout): HeaderEntry[] {
  return scriptsOf(layout).flatMap(([name, { interpreter, body }]): HeaderEntry[] => {
    const words = interpreterWords(interpreter);
    return [
      // Old versions of rpm require a string for an interpreter without arguments.
      [SCRIPTS[name].interpreter, words.length === 1 ? string(interpreter) : stringArray(words)],
      ...(body === '' ? [] : [[SCRIPTS[name].body, string(body)] as const]),
    ];
  });
}

/** `Requires(post): /bin/sh` and so on, which rpmbuild adds for the interpreter of each script. */
export function interpreterDependencies(layout: Layout): Dependency[] {
  return scriptsOf(layout).flatMap(([name, { interpreter }]) => {
    const [program] = interpreterWords(interpreter);
    return program === undefined || program === LUA
      ? []
      : [{ name: program, version: '', flags: SENSE.interpreter | SCRIPTS[name].sense }];
  });
}

/** rpmlib() features that the interpreters need. */
export function scriptFeatures(layout: Layout): { readonly lua: boolean; readonly interpreterArguments: boolean } {
  const interpreters = scriptsOf(layout).map(([, { interpreter }]) => interpreterWords(interpreter));
  return {
    lua: interpreters.some(([program]) => program === LUA),
    interpreterArguments: interpreters.some((words) => words.length > 1),
  };
}

export function readScripts(header: Header): Layout['scripts'] {
  const scripts: Partial<Record<ScriptName, Script>> = {};
  for (const [name, tags] of Object.entries(SCRIPTS) as [RpmScriptName, (typeof SCRIPTS)[RpmScriptName]][]) {
    const words = textsOf(header, tags.interpreter);
    const body = textOf(header, tags.body);
    if (words !== undefined || body !== undefined) {
      // The default interpreter is the shell.
      scripts[name] = { interpreter: words?.join(' ') ?? '/bin/sh', body: body ?? '' };
    }
  }
  return scripts;
}

/** The interpreters of all scripts and triggers. */
export function interpretersOf(header: Header): Set<string> {
  const scripts = Object.values(SCRIPTS).flatMap(({ body, interpreter }) =>
    header.values.has(body) ? [textOf(header, interpreter) ?? '/bin/sh'] : [textOf(header, interpreter)],
  );
  const triggers = TRIGGER_INTERPRETERS.flatMap((tag) => textsOf(header, tag) ?? []);
  return new Set([...scripts, ...triggers].filter((program) => program !== undefined));
}

function scriptsOf(layout: Layout): [RpmScriptName, Script][] {
  return (Object.keys(SCRIPTS) as RpmScriptName[]).flatMap((name) => {
    const script = layout.scripts[name];
    return script === undefined ? [] : [[name, script] satisfies [RpmScriptName, Script]];
  });
}

function interpreterWords(interpreter: string): string[] {
  return interpreter.split(' ');
}
