// Generated from docs/schema.json by `npm run types`: edit viewer/state.py or viewer/messages.py.

export interface Wire {
  server:
    | Hello
    | Snapshot
    | Patch
    | Accepted
    | Rejected
    | Report
    | Progress
    | Closing
    | Pong
    | Reply
    | Happened
    | Undone
    | TakePicture
    | Saved
    | Loaded;
  page: Edit | Ping | Call | Cancel | Event | Run | Undo | Save | Load | Presence | Taken | Listen;
}
/**
 * First message on a connection.
 */
export interface Hello {
  type: "hello";
  protocol: number;
  version: string;
  session: string;
  read_only: boolean;
}
/**
 * The whole document; replaces whatever the page had.
 */
export interface Snapshot {
  type: "snapshot";
  version: number;
  document: Document;
}
/**
 * All of it.
 */
export interface Document {
  title: string;
  theme: "dark" | "light";
  layers: {
    [k: string]: ImageLayer | LabelsLayer | SurfaceLayer;
  };
  order: string[];
  active: string | null;
  view: View;
  actions: {
    [k: string]: Action;
  };
  listening: string[];
}
/**
 * An image: its values are a quantity.
 */
export interface ImageLayer {
  kind: "image";
  id: string;
  name: string;
  data: Data;
  style: ImageStyle;
  visible: boolean;
  metadata: Record<string, unknown>;
}
/**
 * What stands behind a layer, as much as a client must know to ask for it.
 */
export interface Data {
  dtype: string;
  axes: Axis[];
  levels: Level[];
  /**
   * @minItems 3
   * @maxItems 3
   */
  brick: [number, number, number];
  /**
   * @minItems 3
   * @maxItems 3
   */
  apron: [number, number, number];
  /**
   * @minItems 3
   * @maxItems 3
   */
  affine: [[number, number, number, number], [number, number, number, number], [number, number, number, number]];
  generation: number;
  changes: Changed[];
  histogram: Histogram | null;
}
/**
 * One axis of a layer's data.
 */
export interface Axis {
  name: string;
  kind: "channel" | "other" | "space" | "time";
  unit: string;
}
/**
 * One resolution level; level 0 is the data as given.
 */
export interface Level {
  shape: number[];
  scale: number[];
  translate: number[];
}
/**
 * A part of the data that has changed, by one step of the generation.
 */
export interface Changed {
  generation: number;
  level: number;
  start: number[];
  stop: number[];
}
/**
 * Counts of the values of a bounded sample, for the contrast control.
 */
export interface Histogram {
  start: number;
  stop: number;
  counts: number[];
}
/**
 * How an image looks. Value v is drawn as ``colormap(((v - low) / (high - low)) ** gamma)``.
 */
export interface ImageStyle {
  colormap: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  contrast_limits: [number, number];
  gamma: number;
  opacity: number;
  blending: "additive" | "minimum" | "opaque" | "translucent";
  interpolation: "linear" | "nearest";
  rendering: "mip" | "none" | "translucent";
}
/**
 * A segmentation: its values are identities.
 */
export interface LabelsLayer {
  kind: "labels";
  id: string;
  name: string;
  data: Data;
  style: LabelsStyle;
  visible: boolean;
  metadata: Record<string, unknown>;
}
/**
 * How a segmentation looks. Label 0 is transparent.
 */
export interface LabelsStyle {
  opacity: number;
  selected: string[];
  hidden: string[];
  show_selected_only: boolean;
  colors: Record<string, string>;
  seed: number;
  contour: number;
  meshes: boolean;
  mesh_opacity: number;
  silhouette: number;
}
/**
 * Triangles. Where they are, `data` says as one voxel that spans their bounding box.
 */
export interface SurfaceLayer {
  kind: "surface";
  id: string;
  name: string;
  data: Data;
  style: SurfaceStyle;
  vertices: number;
  faces: number;
  valued: boolean;
  visible: boolean;
  metadata: Record<string, unknown>;
}
/**
 * How a surface looks. Values are coloured as those of images; without, `color` does.
 */
export interface SurfaceStyle {
  opacity: number;
  silhouette: number;
  colormap: string;
  /**
   * @minItems 2
   * @maxItems 2
   */
  contrast_limits: [number, number];
  gamma: number;
  color: string;
}
/**
 * What part of the world is looked at, and how the window is laid out.
 */
export interface View {
  /**
   * @minItems 3
   * @maxItems 3
   */
  center: [number, number, number];
  /**
   * @minItems 4
   * @maxItems 4
   */
  orientation: [number, number, number, number];
  /**
   * @minItems 4
   * @maxItems 4
   */
  upright: [number, number, number, number];
  zoom: number | null;
  layout: "3d" | "4panel" | "xy" | "xz" | "yz";
  /**
   * @minItems 2
   * @maxItems 2
   */
  split: [number, number];
  position: Record<string, number>;
  camera: Camera;
  units: string;
  sliders: Slider[];
  scale_bar: boolean;
  axis_lines: boolean;
  title: string;
  colorbar: boolean;
  slices_in_3d: boolean;
}
/**
 * The camera of the 3-D panel; it looks at `View.center`.
 */
export interface Camera {
  /**
   * @minItems 4
   * @maxItems 4
   */
  orientation: [number, number, number, number];
  zoom: number | null;
}
/**
 * A leading axis (time, channel, …), the union over the layers that have it.
 */
export interface Slider {
  name: string;
  unit: string;
  start: number;
  stop: number;
  step: number;
}
/**
 * Something of Python's that a page offers: in the palette, by a key, in menus of layers.
 */
export interface Action {
  title: string;
  key: string | null;
  layer: string | null;
}
/**
 * The document went from version `base` to `version` by these changes, in order.
 */
export interface Patch {
  type: "patch";
  base: number;
  version: number;
  changes: Change[];
}
/**
 * Put `value` at `path`, or remove the dict entry there.
 */
export interface Change {
  path: string[];
  value?: unknown;
  remove?: boolean;
}
/**
 * The edit with this request number is part of the document as of `version`.
 */
export interface Accepted {
  type: "accepted";
  request: number;
  version: number;
}
/**
 * The edit was refused as a whole; `present` puts back what is true now.
 */
export interface Rejected {
  type: "rejected";
  request: number;
  version: number;
  notice: Notice;
  present: Change[];
}
/**
 * Something the user should read: also kept in `Viewer.errors`.
 */
export interface Notice {
  kind: string;
  message: string;
  hint?: string;
  layer?: string | null;
  time?: number;
}
/**
 * An error for the panel on the page.
 */
export interface Report {
  type: "report";
  notice: Notice;
}
/**
 * Long work behind a layer.
 */
export interface Progress {
  type: "progress";
  layer: string | null;
  task: string;
  done: number;
}
/**
 * The viewer was closed or the server stopped on purpose: do not reconnect.
 */
export interface Closing {
  type: "closing";
  reason: string;
}
/**
 * Answer to `Ping`.
 */
export interface Pong {
  type: "pong";
  time: number;
}
/**
 * Answer to a `Call`. What it changed is part of the document as of `version`.
 */
export interface Reply {
  type: "reply";
  request: number;
  version: number;
  result: unknown;
  notice: Notice | null;
}
/**
 * What somebody did on a page, for those who `Listen`.
 */
export interface Happened {
  type: "happened";
  event: Event | Run;
  session: string;
}
/**
 * Something happened that is in `Document.listening`.
 */
export interface Event {
  type: "event";
  event: "click" | "hover" | "key";
  pointer: Pointer;
  button: "left" | "middle" | "right";
  clicks: 1 | 2;
  key: string;
}
/**
 * What is under the pointer; nothing where it is outside of all panels.
 */
export interface Pointer {
  panel: ("3d" | "xy" | "xz" | "yz") | null;
  position: [number, number, number] | null;
  layer: string | null;
  index: number[] | null;
  value: string | null;
  label: string | null;
  modifiers: ("Alt" | "Control" | "Meta" | "Shift")[];
}
/**
 * Do one of `Document.actions`.
 */
export interface Run {
  type: "run";
  action: string;
  pointer: Pointer;
  layer: string | null;
}
/**
 * Answer to `Undo`.
 */
export interface Undone {
  type: "undone";
  redo: boolean;
  what: string | null;
}
/**
 * Draw this document, not what is on screen, and answer with `Taken`.
 */
export interface TakePicture {
  type: "take";
  request: number;
  document: Document;
  size: [number, number] | null;
  scale: number;
  panel: ("3d" | "xy" | "xz" | "yz") | null;
  background: string | null;
  overlays: boolean;
  seconds: number;
}
/**
 * Answer to `Save`: what `Viewer.to_dict` returns.
 */
export interface Saved {
  type: "saved";
  view: Record<string, unknown>;
}
/**
 * Answer to `Load`.
 */
export interface Loaded {
  type: "loaded";
  missing: string[];
  notice: Notice | null;
}
/**
 * Change the document, all of it or nothing.
 */
export interface Edit {
  type: "edit";
  request: number;
  base: number | null;
  changes: Change[];
}
/**
 * Is the server alive? `time` comes back unchanged.
 */
export interface Ping {
  type: "ping";
  time: number;
}
/**
 * Call a method of the viewer or of a layer (`viewer.calls` lists them); a `Reply` comes back.
 *
 *     Attributes are read by calling them without arguments, and set with one.
 */
export interface Call {
  type: "call";
  request: number;
  method: string;
  layer: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}
/**
 * Nobody waits for the reply to this call any more: end it where that is possible.
 */
export interface Cancel {
  type: "cancel";
  request: number;
}
/**
 * Take back what was done last, by anybody; or do again what was taken back.
 */
export interface Undo {
  type: "undo";
  redo: boolean;
}
/**
 * Ask for what is shown, to be kept.
 */
export interface Save {
  type: "save";
}
/**
 * Show what was saved; at the viewer's own address, files that are missing are opened again.
 */
export interface Load {
  type: "load";
  view: Record<string, unknown>;
}
/**
 * The sender is a page that shows pictures, and can take them; sent again when it changes.
 */
export interface Presence {
  type: "presence";
  /**
   * @minItems 2
   * @maxItems 2
   */
  size: [number, number];
  pixel_ratio: number;
  visible: boolean;
  opener: string;
}
/**
 * Answer to `TakePicture`: a PNG follows in binary frames of at most `PART_BYTES`.
 */
export interface Taken {
  type: "taken";
  request: number;
  bytes: number;
  error: string;
  kind: string;
  levels: {
    [k: string]: number[];
  };
}
/**
 * Tell me what people do on pages, as `Happened`; replaces what was asked for before.
 */
export interface Listen {
  type: "listen";
  events: ("click" | "hover" | "key")[];
}
