// Controls for one value each: native elements underneath, so that keyboards and screen readers
// know them, dressed alike.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons";
import { trimmed } from "./units";

interface RowProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}

/** What it is on the left, a control on the right. */
export function Row({ label, hint, children }: RowProps) {
  return (
    <div class="row" title={hint}>
      <span class="row-label">{label}</span>
      <span class="row-control">{children}</span>
    </div>
  );
}

interface RangeProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly vertical?: boolean;
  /** What a screen reader says instead of the number. */
  readonly text?: string;
  onInput(value: number): void;
}

/** A slider. */
export function Range({ label, value, min, max, step, vertical, text, onInput }: RangeProps) {
  const filled = max > min ? Math.min(Math.max((value - min) / (max - min), 0), 1) : 0;
  return (
    <input
      class={vertical === true ? "range vertical" : "range"}
      type="range"
      aria-label={label}
      aria-valuetext={text}
      aria-orientation={vertical === true ? "vertical" : "horizontal"}
      min={min}
      max={max}
      step={step}
      value={value}
      style={{ "--filled": `${filled * 100}%` }}
      onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
    />
  );
}

interface NumberProps {
  readonly label: string;
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
  readonly digits?: number;
  readonly class?: string;
  onCommit(value: number): void;
}

/** A number to type: taken over with Enter or when left, put back with Escape. */
export function NumberField({
  label,
  value,
  min,
  max,
  digits = 6,
  class: name,
  onCommit,
}: NumberProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const shown = trimmed(value, digits);
  const commit = (): void => {
    const text = draft;
    setDraft(null);
    if (text === null || text.trim() === "" || text === shown) return;
    const typed = Number(text.replace(",", "."));
    if (!Number.isFinite(typed)) return;
    onCommit(Math.min(Math.max(typed, min ?? -Infinity), max ?? Infinity));
  };
  return (
    <input
      ref={input}
      class={`number ${name ?? ""}`}
      type="text"
      inputMode="decimal"
      spellcheck={false}
      aria-label={label}
      // A bare number is as wide as its text, for it stands within a line.
      style={name === "bare" ? { width: `calc(${(draft ?? shown).length}ch + 12px)` } : {}}
      value={draft ?? shown}
      onFocus={(event) => event.currentTarget.select()}
      onInput={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          commit();
          input.current?.select();
        } else if (event.key === "Escape") {
          setDraft(null);
          input.current?.blur();
          event.stopPropagation();
        }
      }}
    />
  );
}

interface RangeNumberProps extends RangeProps {
  readonly digits?: number;
  /** The number beside the slider, where it isn't the slider's own; goes with `onCommit`. */
  readonly shown?: number;
  onCommit?(value: number): void;
}

/** A slider with its number beside it. */
export function RangeNumber({ digits = 3, shown, onCommit, ...range }: RangeNumberProps) {
  const own = onCommit === undefined;
  return (
    <span class="range-number">
      <Range {...range} />
      <NumberField
        label={`${range.label}, as a number`}
        value={shown ?? range.value}
        min={own ? range.min : undefined}
        max={own ? range.max : undefined}
        digits={digits}
        onCommit={onCommit ?? range.onInput}
      />
    </span>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, text: ComponentChildren])[];
  onChange(value: T): void;
}

/** A drop-down list. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <span class="choice">
      <select
        aria-label={label}
        value={value}
        onChange={(event) => {
          const chosen = options.find(([option]) => option === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen[0]);
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      <Icon name="chevron" size={12} />
    </span>
  );
}

interface SegmentsProps<T extends string> extends ChoiceProps<T> {
  hint?(value: T): string;
}

/** A few options side by side, one of them chosen: by a press, or with the arrow keys. */
export function Segments<T extends string>(props: SegmentsProps<T>) {
  const { label, value, options, onChange, hint } = props;
  const element = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const present = options.findIndex(([option]) => option === value);
    const next = (present + by + options.length) % options.length;
    const chosen = options[next];
    if (chosen !== undefined) onChange(chosen[0]);
    element.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="segments" role="radiogroup" aria-label={label} ref={element} onKeyDown={onKeyDown}>
      {options.map(([option, text]) => (
        <button
          key={option}
          type="button"
          role="radio"
          aria-checked={option === value}
          tabIndex={option === value ? 0 : -1}
          title={hint?.(option)}
          onClick={() => onChange(option)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

interface SwitchRowProps {
  readonly label: string;
  /** What it switches, in full. */
  readonly title: string;
  readonly hint?: string;
  readonly value: boolean;
  onChange(value: boolean): void;
}

/** On or off; a press anywhere in the row switches. */
export function SwitchRow({ label, title, hint, value, onChange }: SwitchRowProps) {
  return (
    <label class="row" title={hint}>
      <span class="row-label">{label}</span>
      <span class="row-control">
        <input
          class="switch"
          type="checkbox"
          role="switch"
          aria-label={title}
          checked={value}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      </span>
    </label>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly class?: string;
  readonly tabIndex?: number;
  onClick(event: MouseEvent): void;
}

/** A button that is a picture; its label is read out and shown as a hint. */
export function IconButton({
  icon,
  label,
  pressed,
  disabled,
  class: name,
  tabIndex,
  onClick,
}: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${name ?? ""}`}
      tabIndex={tabIndex}
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Calls `close` on a press outside of the element and on Escape, while `open`. */
export function useDismiss(open: boolean, close: () => void) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!open) return;
    const onPress = (event: PointerEvent): void => {
      if (event.target instanceof Node && element.current?.contains(event.target) !== true) close();
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      close();
    };
    window.addEventListener("pointerdown", onPress, true);
    window.addEventListener("keydown", onKey, true);
    return () => {
      window.removeEventListener("pointerdown", onPress, true);
      window.removeEventListener("keydown", onKey, true);
    };
  }, [open]);
  return element;
}
