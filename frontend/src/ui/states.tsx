// The states in which there is no ordinary picture, each with its own words and way out.
import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";
import type { Page } from "./page";

const SNIPPET = `import numpy as np
volume = np.random.rand(64, 256, 256)   # (z, y, x)
v.add_image(volume, name="noise")`;

interface PageProps {
  readonly page: Page;
}

/** No layers yet. */
export function EmptyViewer({ page }: PageProps) {
  const [copied, setCopied] = useState(false);
  if (!page.empty.value || page.stopper.value !== null) return null;
  const copy = (): void => {
    const done = (): void => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    };
    // Without a secure context there is no clipboard: then the text can still be selected.
    navigator.clipboard?.writeText(SNIPPET).then(done, () => undefined);
  };
  return (
    <div class="stage-message">
      <Icon name="cube" size={40} />
      <h1>Nothing to look at yet</h1>
      <p>Add an array in Python and it appears here at once.</p>
      <div class="snippet">
        <pre>
          <code>{SNIPPET}</code>
        </pre>
        <button type="button" class="button" onClick={copy}>
          <Icon name={copied ? "check" : "copy"} size={14} />
          {copied ? "Copied" : "Copy"}
        </button>
      </div>
      <p class="quiet">
        <kbd>H</kbd> shows every action with its key.
      </p>
    </div>
  );
}

const STOPPERS: Readonly<
  Record<
    "webgl" | "protocol",
    { icon: IconName; title: string; text: string; ways: readonly string[] }
  >
> = {
  webgl: {
    icon: "warning",
    title: "This browser offers no WebGL 2",
    text: "The pictures are drawn by the graphics processor through WebGL 2, which is missing or switched off here.",
    ways: [
      "Switch on hardware acceleration in the browser's settings, then reload.",
      "Look at chrome://gpu or about:support for why it is blocked.",
      "Use a current Chrome, Edge, Firefox or Safari (15 or newer).",
    ],
  },
  protocol: {
    icon: "warning",
    title: "This page and the viewer don't fit together",
    text: "The page comes from another version than the Python package that serves the data.",
    ways: [
      "Reload without the cache (Ctrl + Shift + R, or ⌘ + Shift + R).",
      "If that doesn't help, install the package again: its client is out of date.",
    ],
  },
};

/** What makes a picture impossible. */
export function NoPicture({ page }: PageProps) {
  const reason = page.stopper.value;
  if (reason === null) return null;
  const { icon, title, text, ways } = STOPPERS[reason];
  return (
    <div class="stage-message solid" role="alert">
      <Icon name={icon} size={40} />
      <h1>{title}</h1>
      <p>{text}</p>
      <ul>
        {ways.map((way) => (
          <li key={way}>{way}</li>
        ))}
      </ul>
    </div>
  );
}

/** Seconds until the next attempt, counted down. */
function useCountdown(until: number | null): number {
  const left = (): number =>
    until === null ? 0 : Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left());
  useEffect(() => {
    setSeconds(left());
    if (until === null) return;
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

/** The connection was lost: the picture stays, and this says so. */
export function ConnectionBanner({ page }: PageProps) {
  const connection = page.connection.value;
  const seconds = useCountdown(connection.kind === "waiting" ? connection.retryAt : null);
  if (connection.kind === "closed") {
    return (
      <div class="banner final" role="alert">
        <Icon name="stopped" />
        <span>
          <strong>The viewer has ended.</strong> {connection.reason}{" "}
          <span class="quiet">Start a new one in Python and open its URL.</span>
        </span>
      </div>
    );
  }
  const retrying = connection.kind === "connecting" && connection.attempt > 1;
  if (connection.kind !== "waiting" && !retrying) return null;
  return (
    <div class="banner" role="status">
      <Icon name="disconnected" />
      <span>
        <strong>Connection lost.</strong>{" "}
        {retrying || seconds === 0 ? "Reconnecting…" : `Trying again in ${seconds} s.`}{" "}
        <span class="quiet">What is loaded can still be looked at.</span>
      </span>
      <button type="button" class="button" disabled={retrying} onClick={page.reconnect}>
        Reconnect now
      </button>
    </div>
  );
}

/** Before the first document. */
export function Loading({ page }: PageProps) {
  if (page.document.value !== null || page.connection.value.kind === "closed") return null;
  return (
    <div class="loading" role="status">
      Connecting…
    </div>
  );
}
