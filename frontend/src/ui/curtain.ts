// While the first picture is on its way, the interface around it stays undrawn. Both are drawn by
// the same GPU: where that is software, text and icons would hold up the picture for longer than
// it takes itself. The interface is there all the time, for the keyboard's keys and for layout.
import { effect } from "@preact/signals";
import type { Page } from "./page";

/** Milliseconds after which a picture that is not there yet is waited for in full view. */
const LONGEST = 1500;

/** Hides the interface (`style/base.css`) until the picture is complete or can't be. */
export function lowerCurtain(page: Page): void {
  const { dataset } = document.documentElement;
  dataset["opening"] = "";
  const lift = (): void => {
    delete dataset["opening"];
    clearTimeout(timer);
    queueMicrotask(() => stop());
  };
  const timer = setTimeout(lift, LONGEST);
  const stop = effect(() => {
    const { kind } = page.connection.value;
    const isConnected = kind === "open" || kind === "connecting";
    const isStopped = !isConnected || page.stopper.value !== null || page.empty.value;
    if (isStopped || page.status.value.settled) lift();
  });
}
