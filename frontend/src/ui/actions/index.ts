// The one table of what a user can do without a pointer: it feeds the keys, the palette, the
// buttons' hints and the key table of the documentation.
import type { Page } from "../page";
import { keyName, type Action } from "./action";
import { IMAGE } from "./image";
import { LABELS } from "./labels";
import { LAYERS } from "./layers";
import { NAVIGATE } from "./navigate";
import { PAGE } from "./page";
import { VIEW } from "./view";

export { keyName, type Action } from "./action";
export { JUMP } from "./navigate";
export { toggleMaximised } from "./view";

/** Every action, in the order of the palette. */
export const ACTIONS: readonly Action[] = [
  ...VIEW,
  ...NAVIGATE,
  ...LAYERS,
  ...IMAGE,
  ...LABELS,
  ...PAGE,
];

const BY_ID = new Map(ACTIONS.map((action) => [action.id, action]));

/** An action by its id; asking for one that isn't there is a mistake in the program. */
function action(id: string): Action {
  const found = BY_ID.get(id);
  if (found === undefined) throw new Error(`no action ${id}`);
  return found;
}

/** The text of a button's hint: what it does and with which key. */
export function hint(id: string): string {
  const { title, keys } = action(id);
  const key = keys[0];
  return key === undefined ? title : `${title} (${keyName(key)})`;
}

/** Does an action by its id, when it can be done. */
export function perform(page: Page, id: string): void {
  const found = action(id);
  if (found.enabled?.(page) !== false) found.run(page);
}
