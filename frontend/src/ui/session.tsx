// This page as one of the viewer's sessions: what Python is told of it, and its id for the user.
import { effect, signal } from "@preact/signals";
import type { PageMessage } from "../wire/protocol";
import { copySession } from "./clipboard";
import { IconButton } from "./fields";
import type { Page } from "./page";

const query = new URLSearchParams(location.search);

/** The key of the program that opened the page unseen; empty for a person's. */
export const OPENER = query.get("headless") ?? "";

/** CSS pixels that such a page pretends to have; null for a window, which has its own. */
export const OPENED_SIZE = parseSize(query.get("size") ?? "");

function parseSize(text: string): readonly [number, number] | null {
  const [width = 0, height = 0] = text.split("x").map(Number);
  return OPENER !== "" && width >= 1 && height >= 1 ? [width, height] : null;
}

/** Keeps Python informed about the window, from the greeting on; returns what ends it. */
export function tellPresence(page: Page, send: (message: PageMessage) => boolean): () => void {
  const read = (): readonly [number, number, number, boolean] => {
    const [width, height] = OPENED_SIZE ?? [window.innerWidth, window.innerHeight];
    return [width, height, window.devicePixelRatio, !document.hidden];
  };
  const present = signal(read());
  const look = (): void => {
    if (read().join() !== present.peek().join()) present.value = read();
  };
  window.addEventListener("resize", look);
  document.addEventListener("visibilitychange", look);
  const stop = effect(() => {
    const [width, height, ratio, visible] = present.value;
    if (page.session.value === null || page.connection.value.kind !== "open") return;
    send({
      type: "presence",
      size: [width, height],
      pixel_ratio: ratio,
      visible,
      opener: OPENER,
    });
  });
  return () => {
    stop();
    window.removeEventListener("resize", look);
    document.removeEventListener("visibilitychange", look);
  };
}

/** The id in the status bar, shortened, with a button that copies all of it. */
export function SessionMark({ page }: { readonly page: Page }) {
  const session = page.session.value;
  if (session === null || page.connection.value.kind !== "open") return null;
  return (
    <span class="session" title={`This page in Python: v.sessions["${session}"]`}>
      <span class="quiet">{page.sessionCopied.value ? "copied" : session.slice(0, 6)}</span>
      <IconButton
        icon={page.sessionCopied.value ? "check" : "copy"}
        label="Copy this page's session id"
        onClick={() => void copySession(page)}
      />
    </span>
  );
}
