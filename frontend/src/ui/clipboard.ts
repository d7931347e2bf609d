// What is copied for the user to paste elsewhere.
import type { Page } from "./page";

/** Puts text where the user can paste it from; false when the browser forbids that. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    // Deprecated, and all there is in a frame or without https.
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** Copies this page's id. */
export async function copySession(page: Page): Promise<void> {
  const session = page.session.peek();
  if (session === null) return;
  if (!(await copyText(session))) {
    page.say(`The browser forbids copying: this page is ${session}`);
    return;
  }
  page.sessionCopied.value = true;
  setTimeout(() => {
    page.sessionCopied.value = false;
  }, 1500);
}
