// No module needs itself: what eslint.config.js cannot see about imports. Type-only imports vanish
// in the build and may point anywhere.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SOURCE = resolve(import.meta.dirname, "../src");

function modules(): string[] {
  const names = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => join(SOURCE, name));
}

function find(from: string, specifier: string): string | null {
  const base = resolve(dirname(from), specifier);
  for (const candidate of [`${base}.ts`, `${base}.tsx`, join(base, "index.ts")]) {
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate;
  }
  return null; // a style sheet or a shader
}

function imports(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const found = text.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gm);
  return [...found]
    .map(([, specifier]) => find(path, specifier!))
    .filter((target) => target !== null);
}

test("no module imports itself by way of others", () => {
  const graph = new Map(modules().map((path) => [path, imports(path)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      const cycle = [...trail.slice(trail.indexOf(path)), path];
      cycles.push(cycle.map((name) => relative(SOURCE, name)).join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const path of graph.keys()) visit(path, []);
  expect(graph.size).toBeGreaterThan(10);
  expect(cycles).toEqual([]);
});
