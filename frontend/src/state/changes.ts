// Changes to plain JSON: `path` into the document and the value there. Values are never modified:
// what a change doesn't touch keeps its identity, so whoever compares sees what is new.
import type { Change } from "../wire/types";

type Entries = Readonly<Record<string, unknown>>;

function isEntries(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function put(target: unknown, change: Change, depth: number): unknown {
  const key = change.path[depth];
  if (key === undefined) return change.value ?? null;
  // A change below something that is gone (a layer that was just removed) has no place to go.
  if (!isEntries(target)) return target;
  if (depth === change.path.length - 1 && change.remove === true) {
    return Object.fromEntries(Object.entries(target).filter(([name]) => name !== key));
  }
  if (depth < change.path.length - 1 && !(key in target)) return target;
  const before = target[key];
  const after = put(before, change, depth + 1);
  return Object.is(before, after) ? target : { ...target, [key]: after };
}

/** The value after these changes, in order. */
export function applyChanges<T>(value: T, changes: readonly Change[]): T {
  // The wire's schema guarantees that a document stays a document.
  return changes.reduce<unknown>((result, change) => put(result, change, 0), value) as T;
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((name, index) => path[index] === name);
}

/** The same effect with fewer changes: what is overridden later is left out. */
export function coalesce(changes: readonly Change[]): Change[] {
  const result: Change[] = [];
  for (const change of changes) {
    for (let index = result.length - 1; index >= 0; index -= 1) {
      const earlier = result[index];
      if (earlier !== undefined && startsWith(earlier.path, change.path)) result.splice(index, 1);
    }
    result.push(change);
  }
  return result;
}

/** `put(value, "view", "zoom")`: one change. */
export function change(value: unknown, ...path: string[]): Change {
  return { path, value };
}

/** Takes an entry out of a dict. */
export function removal(...path: string[]): Change {
  return { path, remove: true };
}
