// Sliders for the leading axes (time, channel, …) with playback, below the picture.
import type { Document, Slider } from "../wire/types";
import { IconButton, NumberField, Range } from "./fields";
import { goToSample, sliderCount, sliderIndex, sliderPosition, stepSample } from "./navigation";
import type { Page } from "./page";
import { lengthText } from "./units";

export function AxisSliders({ page }: { readonly page: Page }) {
  const document = page.document.value;
  if (document === null) return null;
  const shown = document.view.sliders.filter((slider) => sliderCount(slider) > 1);
  if (shown.length === 0) return null;
  return (
    <div class="axis-sliders" role="group" aria-label="Axes">
      {shown.map((slider) => (
        <AxisSlider key={slider.name} page={page} document={document} slider={slider} />
      ))}
    </div>
  );
}

interface AxisSliderProps {
  readonly page: Page;
  readonly document: Document;
  readonly slider: Slider;
}

function AxisSlider({ page, document, slider }: AxisSliderProps) {
  const { name } = slider;
  const index = sliderIndex(document, slider);
  const count = sliderCount(slider);
  const playing = page.playback.axis.value === name;
  const position = lengthText(sliderPosition(document, slider), slider.unit);
  const step = (by: number): void => page.edit((present) => stepSample(present, slider, by));
  return (
    <div class="axis-slider" data-axis={name}>
      <span class="axis-name" title={`Axis ${name}`}>
        {name}
      </span>
      <IconButton
        icon="step-back"
        label={`Previous sample along ${name}`}
        onClick={() => step(-1)}
      />
      <IconButton
        icon={playing ? "pause" : "play"}
        label={playing ? `Pause ${name}` : `Play ${name}`}
        pressed={playing}
        onClick={() => page.playback.toggle(name)}
      />
      <IconButton icon="step-on" label={`Next sample along ${name}`} onClick={() => step(1)} />
      <Range
        label={`Position along ${name}`}
        min={0}
        max={count - 1}
        step={1}
        value={index}
        text={`${index} of ${count - 1}, ${position}`}
        onInput={(value) => page.edit(() => goToSample(slider, value))}
      />
      <span class="axis-readout">
        <NumberField
          label={`Sample along ${name}`}
          class="bare"
          value={index}
          onCommit={(value) => page.edit(() => goToSample(slider, value))}
        />
        <span class="quiet">/ {count - 1}</span>
        {slider.unit !== "" && <span class="quiet wide">{position}</span>}
      </span>
      <label class="rate" title="Samples a second while playing">
        <NumberField
          label="Samples a second"
          class="bare"
          min={0.1}
          max={60}
          value={page.playback.rate.value}
          onCommit={(value) => {
            page.playback.rate.value = value;
          }}
        />
        <span class="quiet">fps</span>
      </label>
    </div>
  );
}
