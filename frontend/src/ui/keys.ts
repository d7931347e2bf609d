// Keys to actions. Of those with Ctrl or ⌘ only undo and redo are taken, which mean the same in every
// program; the others belong to the browser and the system.
import { ACTIONS, perform, type Action } from "./actions";
import type { Page } from "./page";
import { pythonActionFor, tellKey } from "./python";

const BY_KEY = new Map<string, Action>(
  ACTIONS.flatMap((action) => action.keys.map((key) => [key, action] as const)),
);

interface Stroke {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** The action that a key stroke means, if any. */
export function actionFor(stroke: Stroke): Action | null {
  const key = stroke.key.length === 1 ? stroke.key.toLowerCase() : stroke.key;
  if (stroke.ctrlKey || stroke.metaKey) {
    if (stroke.altKey) return null;
    return BY_KEY.get(`Ctrl+${stroke.shiftKey ? "Shift+" : ""}${key}`) ?? null;
  }
  if (stroke.altKey) return BY_KEY.get(`Alt+${key}`) ?? null;
  // Some layouts need Shift for a character ("?"), so the character alone counts too, but a letter
  // with Shift is another key.
  const shifted = stroke.shiftKey ? BY_KEY.get(`Shift+${key}`) : undefined;
  if (shifted !== undefined) return shifted;
  if (stroke.shiftKey && /[a-z]/.test(key)) return null;
  return BY_KEY.get(key) ?? null;
}

/** Whether the element under the keyboard wants the keys itself. */
function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") {
    return true;
  }
  return (
    target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox"
  );
}

/** Space and Enter press the focused button, arrows move the focused slider: not ours there. */
function operates(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (key === " " || key === "Enter") {
    // A button that was only clicked has the focus, too, but nobody means it any more.
    return target.closest("input, :is(button, [tabindex]):focus-visible") !== null;
  }
  return key.startsWith("Arrow") && target.closest("input, .layers, .sidebar, dialog") !== null;
}

/** Listens to the keyboard; returns what ends it. */
export function listenToKeys(page: Page): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || takesText(event.target)) return;
    if (operates(event.target, event.key)) return;
    if (page.palette.peek()) return;
    tellKey(page, event);
    const own = actionFor(event);
    const action = own ?? pythonActionFor(page, event);
    if (action === null) return;
    event.preventDefault();
    if (event.target instanceof HTMLButtonElement) event.target.blur();
    if (own === null) action.run(page);
    else perform(page, own.id);
  };
  window.addEventListener("keydown", onKeyDown);
  return () => window.removeEventListener("keydown", onKeyDown);
}
