import type { ScriptName } from '../../../src/model/format.ts';
import type { Entry, Layout } from '../../../src/model/layout.ts';
import { RELATION_KINDS, type RelationKind } from '../../../src/model/relation.ts';

/** Functions that break a package. Pure; an error if there is nothing to break, so that every fault has an effect. */
export type Mutation = (layout: Layout) => Layout;

/** Replaces a part of a file's text, which must exist. */
export function inFile(path: string, from: string | RegExp, to: string): Mutation {
  return changeEntry(path, (entry) => {
    if (entry.kind !== 'file' || entry.content.kind !== 'memory')
      throw new Error(`${path} is not a file with contents in memory`);
    const text = replaced(Buffer.from(entry.content.bytes).toString('utf8'), from, to, path);
    return { ...entry, content: { kind: 'memory', bytes: new TextEncoder().encode(text) } };
  });
}

/** Replaces the contents of a file. */
export function instead(path: string, text: string): Mutation {
  return changeEntry(path, (entry) => {
    if (entry.kind !== 'file') throw new Error(`${path} is not a file`);
    return { ...entry, content: { kind: 'memory', bytes: new TextEncoder().encode(text) } };
  });
}

/** Replaces a part of a maintainer script or scriptlet. */
export function inScript(name: ScriptName, from: string | RegExp, to: string): Mutation {
  return (layout) => {
    const script = layout.scripts[name];
    if (script === undefined) throw new Error(`${layout.name} has no ${name}`);
    const body = replaced(script.body, from, to, `${name} of ${layout.name}`);
    return { ...layout, scripts: { ...layout.scripts, [name]: { ...script, body } } };
  };
}

/** Inserts lines at the start of a script. */
export function firstInScript(name: ScriptName, lines: string): Mutation {
  return inScript(name, /^/, `${lines}\n`);
}

export function withoutScript(name: ScriptName): Mutation {
  return (layout) => {
    const { [name]: gone, ...scripts } = layout.scripts;
    if (gone === undefined) throw new Error(`${layout.name} has no ${name}`);
    return { ...layout, scripts };
  };
}

export function without(path: string): Mutation {
  return (layout) => ({ ...layout, entries: layout.entries.filter((entry) => entry !== find(layout, path)) });
}

/** Changes mode, owner or role. */
export function having(path: string, change: Partial<Pick<Entry, 'mode' | 'owner' | 'group' | 'role'>>): Mutation {
  return changeEntry(path, (entry) => ({ ...entry, ...change }));
}

/** Moves a file; adds the directories that a DEB must list. */
export function moved(from: string, to: string): Mutation {
  return (layout) => {
    const entry = { ...find(layout, from), path: to };
    return sorted(layout, [...layout.entries.filter(({ path }) => path !== from), ...parents(layout, to), entry]);
  };
}

/** Removes a relation of any kind. */
export function withoutRelation(name: string): Mutation {
  return changeRelations(name, () => []);
}

/** Changes a relation to a name that nothing provides. */
export function renamedRelation(from: string, to: string): Mutation {
  return changeRelations(from, (relation) => [
    { anyOf: relation.anyOf.map((target) => (target.name === from ? { ...target, name: to } : target)) },
  ]);
}

export function withRelation(kind: RelationKind, relation: Layout['relations'][RelationKind][number]): Mutation {
  return (layout) => ({
    ...layout,
    relations: { ...layout.relations, [kind]: [...layout.relations[kind], relation] },
  });
}

function find(layout: Layout, path: string): Entry {
  const entry = layout.entries.find((each) => each.path === path);
  if (entry === undefined) throw new Error(`${layout.name} has no ${path}`);
  return entry;
}

function changeEntry(path: string, change: (entry: Entry) => Entry): Mutation {
  return (layout) => {
    const entry = find(layout, path);
    return { ...layout, entries: layout.entries.map((each) => (each === entry ? change(each) : each)) };
  };
}

type Relation = Layout['relations'][RelationKind][number];

function changeRelations(name: string, change: (relation: Relation) => Relation[]): Mutation {
  return (layout) => {
    const concerns = (relation: Relation) => relation.anyOf.some((target) => target.name === name);
    if (!RELATION_KINDS.some((kind) => layout.relations[kind].some(concerns))) {
      throw new Error(`${layout.name} has no relation to ${name}`);
    }
    const changed = RELATION_KINDS.map((kind) => [
      kind,
      layout.relations[kind].flatMap((relation) => (concerns(relation) ? change(relation) : [relation])),
    ]);
    return { ...layout, relations: Object.fromEntries(changed) as Layout['relations'] };
  };
}

function replaced(text: string, from: string | RegExp, to: string, where: string): string {
  const changed = text.replace(from, () => to);
  if (changed === text) throw new Error(`${where} holds no ${from}`);
  return changed;
}

/** Missing parent directories of a path, which a DEB must list. */
function parents(layout: Layout, path: string): Entry[] {
  if (layout.format !== 'deb') return [];
  const known = new Set(layout.entries.map((entry) => entry.path));
  const directories = path.split('/').slice(1, -1);
  return directories
    .map((_, index) => `/${directories.slice(0, index + 1).join('/')}`)
    .filter((directory) => !known.has(directory))
    .map(
      (directory) =>
        ({
          ...{ kind: 'directory', path: directory, mode: 0o755, owner: 'root', group: 'root' },
          ...{ mtime: layout.date, role: 'plain' },
        }) as const,
    );
}

function sorted(layout: Layout, entries: readonly Entry[]): Layout {
  const order = (a: Entry, b: Entry) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
  return { ...layout, entries: [...entries].sort(order) };
}
