// Messages for the user: the newest pop up in a corner, all are kept in a list.
import { useEffect } from "preact/hooks";
import type { Entry } from "../state/notices";
import { IconButton, useDismiss } from "./fields";
import { Icon } from "./icons";
import type { Page } from "./page";

/** Milliseconds that a message stays by itself; it waits while it is pointed at. */
const STAY = 9000;

/** Pop-ups at once. */
const MOST = 3;

interface PageProps {
  readonly page: Page;
}

export function Toasts({ page }: PageProps) {
  // What a panel says itself, with a way out, needs no second voice that might cover it.
  const told = new Set(
    page.status.value.panels.flatMap(({ failures }) => failures.map(({ layer }) => layer)),
  );
  const fresh = page.notices.fresh.value
    .filter(({ notice: { layer } }) => layer === undefined || layer === null || !told.has(layer))
    .slice(0, MOST);
  if (page.noticeList.value) return null;
  return (
    <div class="toasts" role="log" aria-live="polite">
      {fresh.map((entry) => (
        <Toast key={entry.key} page={page} entry={entry} />
      ))}
    </div>
  );
}

function Toast({ page, entry }: PageProps & { readonly entry: Entry }) {
  useEffect(() => {
    const timer = setTimeout(() => page.notices.settle(entry.key), STAY);
    return () => clearTimeout(timer);
  }, [entry]);
  return (
    <div class="toast">
      <Icon name="warning" />
      <Message page={page} entry={entry} />
      <IconButton icon="close" label="Dismiss" onClick={() => page.notices.settle(entry.key)} />
    </div>
  );
}

function Message({ page, entry }: PageProps & { readonly entry: Entry }) {
  const { message, hint, layer } = entry.notice;
  const name = layer === undefined || layer === null ? undefined : page.layers.value[layer]?.name;
  return (
    <div class="message">
      <p>
        {name !== undefined && <strong>{name}: </strong>}
        {message}
        {entry.count > 1 && <span class="quiet"> ×{entry.count}</span>}
      </p>
      {hint !== undefined && hint !== "" && <p class="quiet">{hint}</p>}
    </div>
  );
}

export function NoticeList({ page }: PageProps) {
  const open = page.noticeList.value;
  const close = (): void => {
    page.noticeList.value = false;
  };
  const element = useDismiss(open, close);
  if (!open) return null;
  const entries = page.notices.entries.value;
  return (
    <div class="notice-list" ref={element} role="dialog" aria-label="Messages">
      <div class="section-head">
        <h2>Messages</h2>
        {entries.length > 0 && (
          <button type="button" class="button small" onClick={() => page.notices.clear()}>
            Clear
          </button>
        )}
        <IconButton icon="close" label="Close" onClick={close} />
      </div>
      {entries.length === 0 && (
        <p class="sidebar-note">No messages. Errors in your data appear here.</p>
      )}
      <ul>
        {entries.map((entry) => (
          <li key={entry.key}>
            <time>{new Date((entry.notice.time ?? 0) * 1000).toLocaleTimeString()}</time>
            <Message page={page} entry={entry} />
          </li>
        ))}
      </ul>
    </div>
  );
}
