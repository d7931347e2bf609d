// The interface's icons: 16 × 16, one line weight, the text's colour.
const PATHS = {
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Z M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  "eye-off":
    "M2.5 2.5l11 11 M6.2 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-1.9 2.4 M4 5.1A11 11 0 0 0 1.5 8S4 12.5 8 12.5a6 6 0 0 0 2.8-.7 M6.6 6.6a2 2 0 0 0 2.8 2.8",
  image: "M2.5 3.5h11v9h-11z M2.5 10.5l3-3 3 3 2-2 3 3 M10.5 6.2h.01",
  labels:
    "M3 6.2C3 4 4.6 2.8 6.2 3.2c1.7.4 1.8 2.3 1 3.4-.8 1-2.6 1.7-3.5 1.2C3.2 7.5 3 6.9 3 6.2Z M8.8 10.6c.2-1.5 2-2.6 3.4-2 1.5.7 1.3 2.8 0 3.7-1.4 1-3.7.5-3.4-1.7Z M4 11.5a1.2 1.2 0 1 0 2.4 0 1.2 1.2 0 0 0-2.4 0Z",
  close: "M4 4l8 8 M12 4l-8 8",
  check: "M3.5 8.5l3 3 6-7",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z M10.5 10.5L14 14",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9 M10.5 3.5v9",
  "step-back": "M11 3.5v9L5 8z M4.5 3.5v9",
  "step-on": "M5 3.5v9L11 8z M11.5 3.5v9",
  fit: "M2.5 5.5v-3h3 M10.5 2.5h3v3 M13.5 10.5v3h-3 M5.5 13.5h-3v-3 M5.5 5.5h5v5h-5z",
  maximise: "M9.5 2.5h4v4 M13.5 2.5l-4.5 4.5 M6.5 13.5h-4v-4 M2.5 13.5L7 9",
  restore: "M13.5 6.5h-4v-4 M9.5 6.5L14 2 M2.5 9.5h4v4 M6.5 9.5L2 14",
  sun: "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z M8 1.5v1.5 M8 13v1.5 M1.5 8H3 M13 8h1.5 M3.4 3.4l1.1 1.1 M11.5 11.5l1.1 1.1 M3.4 12.6l1.1-1.1 M11.5 4.5l1.1-1.1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
  bell: "M4 11V7.5a4 4 0 0 1 8 0V11l1 1.5H3z M6.5 14h3",
  help: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4 M8 11.6h.01",
  sidebar: "M2.5 3.5h11v9h-11z M10 3.5v9",
  warning: "M8 2.5l6 10.5H2z M8 6.5v3 M8 11.2h.01",
  retry: "M13 8a5 5 0 1 1-1.5-3.6 M13 2.5v3h-3",
  copy: "M5.5 5.5h8v8h-8z M10.5 5.5v-3h-8v8h3",
  shuffle:
    "M2 4.5h2.5l6 7H14 M2 11.5h2.5l1.5-1.8 M9 6.2l1.5-1.7H14 M12 2.5l2 2-2 2 M12 9.5l2 2-2 2",
  more: "M4 8h.01 M8 8h.01 M12 8h.01",
  plus: "M8 3.5v9 M3.5 8h9",
  auto: "M3 13l6-6 M9.5 2v2 M9.5 8v2 M6.5 5h-2 M14.5 5h-2 M11.6 2.9l1-1 M11.6 7.1l1 1",
  disconnected:
    "M6.5 9.5l-2 2a2.5 2.5 0 0 1-3.5 0 M9.5 6.5l2-2a2.5 2.5 0 0 1 3.5 0 M5 3v1.5 M3 5h1.5 M11 13v-1.5 M13 11h-1.5",
  stopped: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z M5.8 5.8h4.4v4.4H5.8z",
  "layout-4panel": "M2.5 2.5h11v11h-11z M8 2.5v11 M2.5 8h11",
  cube: "M8 1.8l5.5 3v6.4L8 14.2l-5.5-3V4.8z M2.5 4.8L8 8l5.5-3.2 M8 8v6.2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
