// Where the page's parts are built and connected, and the only place that knows them all.
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { createRenderer, NoWebGL2Error } from "./render";
import { Notices } from "./state/notices";
import { Tasks } from "./state/progress";
import { Store } from "./state/store";
import { App } from "./ui/app";
import { savedBudgets } from "./ui/budgets";
import { Colormaps } from "./ui/colormaps";
import { lowerCurtain } from "./ui/curtain";
import { stepSample } from "./ui/navigation";
import { Page } from "./ui/page";
import type { PictureTaker } from "./ui/picture-taker";
import { Playback } from "./ui/playback";
import { OPENED_SIZE, OPENER, tellPresence } from "./ui/session";
import { pageGlobals } from "./page-globals";
import { PROTOCOL, type ServerMessage } from "./wire/protocol";
import { Socket, type Connection } from "./wire/socket";
import type { Hello, Notice } from "./wire/types";

const base = new URL("./", location.href);

function webSocketUrl(path: string): string {
  const url = new URL(path, base);
  url.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// A notebook tries several addresses until this page is what its frame shows.
if (window.parent !== window) window.parent.postMessage({ voxelview: "ready" }, "*");

const connection = signal<Connection>({ kind: "connecting", attempt: 1 });
const notices = new Notices();
const tasks = new Tasks();

const store = new Store({
  send: (edit) => socket.send(edit),
  // A page in the background has no frames, but may still have edits (a key just before).
  schedule: (run) => {
    if (document.hidden) setTimeout(run, 16);
    else requestAnimationFrame(run);
  },
  resync: () => socket.restart(),
});

const socket: Socket = new Socket({
  url: webSocketUrl("ws"),
  message: receive,
  connection: (next) => {
    if (next.kind !== "open") store.disconnected();
    connection.value = next;
  },
  alive: async () => {
    try {
      const response = await fetch(base, { method: "GET", cache: "no-store" });
      return response.status !== 404 && response.status !== 410;
    } catch {
      return true; // No answer at all: perhaps the network is away, so it is worth trying again.
    }
  },
});

const playback = new Playback({
  advance: (name) => {
    const present = store.document.peek();
    const slider = present?.view.sliders.find((candidate) => candidate.name === name);
    if (present === null || slider === undefined) return false;
    store.edit(stepSample(present, slider, 1));
    return true;
  },
  ready: () => page.renderer.peek() === null || page.status.peek().settled,
});

const page: Page = new Page({
  store,
  notices,
  tasks,
  connection,
  playback,
  colormaps: new Colormaps(new URL("colormaps.json", base).href),
  reconnect: () => socket.connect(),
  send: (message) => socket.send(message),
  picture: async () => {
    const taker = await pictureTaker();
    const show = store.document.peek();
    if (show === null) throw new Error("Nothing has been loaded.");
    return taker.picture(show, page.pixelRatio.peek());
  },
});

/** A conflict isn't an error: somebody else was quicker, and what they did is shown. */
function tell(notice: Notice): void {
  if (notice.kind !== "conflict") notices.add(notice);
}

function receive(message: ServerMessage): void {
  switch (message.type) {
    case "hello":
      store.setReadOnly(message.read_only);
      greet(message);
      break;
    case "snapshot":
      tasks.clear();
      page.keeping.forget();
      store.receive(message);
      void page.keeping.followLink();
      break;
    case "rejected":
      tell(message.notice);
      store.receive(message);
      break;
    case "patch":
    case "accepted":
      store.receive(message);
      break;
    case "report":
      tell(message.notice);
      break;
    case "progress":
      tasks.receive(message);
      break;
    case "take":
      void pictureTaker().then((taker) => taker.take(message));
      break;
    case "undone": {
      const done = message.redo ? "Done again" : "Undone";
      const nothing = message.redo ? "There is nothing to do again" : "There is nothing to undo";
      page.say(message.what === null ? nothing : `${done}: ${message.what}`);
      break;
    }
    case "saved":
    case "loaded":
      void page.keeping.receive(message);
      break;
    case "closing":
    case "pong":
      break;
  }
}

let taker: PictureTaker | null = null;

/** Loaded when the first picture is asked for. */
async function pictureTaker(): Promise<PictureTaker> {
  const { PictureTaker } = await import("./ui/picture-taker");
  return (taker ??= new PictureTaker({
    baseUrl: base.href,
    size: () => OPENED_SIZE ?? page.size.peek(),
    send: (message) => socket.send(message),
    sendBytes: (bytes) => socket.sendBytes(bytes),
  }));
}

const RELOADED = "voxelview-reloaded-for";

/** A page from a cache may be older than the server: it loads itself anew, but only once. */
function greet(hello: Hello): void {
  let reloaded: string | null = null;
  try {
    reloaded = sessionStorage.getItem(RELOADED);
    if (hello.protocol === PROTOCOL) sessionStorage.removeItem(RELOADED);
    else sessionStorage.setItem(RELOADED, hello.version);
  } catch {
    reloaded = hello.version; // No storage (a sandboxed frame): reloading could go on forever.
  }
  if (hello.protocol === PROTOCOL) {
    page.session.value = hello.session;
    return;
  }
  if (reloaded === hello.version) {
    page.stopper.value = "protocol";
    socket.end("The page and the Python package are of different versions.");
  } else {
    location.reload();
  }
}

/** Hands every new document and arrangement of panels down to a renderer of the canvas. */
function mount(canvas: HTMLCanvasElement): () => void {
  // A page that nobody sees draws nothing but the pictures that Python asks for.
  if (OPENER !== "") return () => undefined;
  let renderer;
  try {
    renderer = createRenderer({
      canvas,
      baseUrl: base.href,
      size: page.size.peek(),
      events: {
        status: (status) => {
          page.status.value = status;
        },
        values: () => page.refreshValues(),
      },
    });
  } catch (error) {
    if (!(error instanceof NoWebGL2Error)) throw error;
    page.stopper.value = "webgl";
    return () => undefined;
  }
  const budgets = savedBudgets();
  if (budgets !== null) renderer.setBudgets(budgets);
  page.renderer.value = renderer;
  const drawn = renderer;
  const stopDocument = effect(() => {
    if (store.document.value !== null) drawn.setDocument(store.document.value);
  });
  const stopPanels = effect(() => {
    const [width, height] = page.size.value;
    if (width > 0 && height > 0) {
      drawn.setPanels(page.panels.value, [width, height], page.pixelRatio.value);
    }
  });
  const stopConnection = effect(() => {
    if (page.connection.value.kind === "closed") drawn.disconnect();
  });
  return () => {
    stopConnection();
    stopDocument();
    stopPanels();
    page.renderer.value = null;
    drawn.dispose();
  };
}

effect(() => {
  document.title = page.title.value;
});
effect(() => {
  // Whichever comes last, a report or the removal of its layer.
  void tasks.running.value;
  tasks.keep(page.layers.value);
});
effect(() => {
  document.documentElement.dataset["theme"] = page.theme.value;
});

tellPresence(page, (message) => socket.send(message));

window.addEventListener("pagehide", () => store.flush());
window.addEventListener("hashchange", () => void page.keeping.followLink());
window.addEventListener("online", () => socket.connect());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) store.flush();
  else if (connection.peek().kind === "waiting") socket.connect();
});

window.voxelview = pageGlobals(page);
lowerCurtain(page);
// First, so that the document is on its way while the GPU is got ready, which takes longer.
socket.connect();
render(<App page={page} mount={mount} />, document.getElementById("page") ?? document.body);
