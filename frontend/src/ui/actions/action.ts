// What an action is, and how its keys are written.
import type { Page } from "../page";

export interface Action {
  readonly id: string;
  readonly group: "View" | "Navigate" | "Layers" | "Image" | "Labels" | "Page" | "Python";
  readonly title: string;
  /** As `KeyboardEvent.key` gives them, lower case for letters, `Shift+` where it matters. */
  readonly keys: readonly string[];
  /** The same in Python, with the names of `example.py`; empty for what concerns only the page. */
  readonly python: string;
  /** Whether it can be done now; always when left out. */
  enabled?(page: Page): boolean;
  run(page: Page): void;
}

const NAMES: Readonly<Record<string, string>> = {
  " ": "Space",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

/** A key as it is written on a keyboard. */
export function keyName(key: string): string {
  const parts = key.length === 1 ? [key] : key.split("+");
  return parts
    .map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");
}
