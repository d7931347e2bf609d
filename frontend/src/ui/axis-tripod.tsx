// The three axes in a corner of the 3-D panel, turned as the camera is.
import { worldToView } from "../math/view";
import type { Page } from "./page";

const SIZE = 56;
const LENGTH = 18;

const DIRECTIONS = [
  ["x", [0, 0, 1]],
  ["y", [0, 1, 0]],
  ["z", [1, 0, 0]],
] as const;

export function AxisTripod({ page }: { readonly page: Page }) {
  const document = page.document.value;
  if (document === null || !document.view.axis_lines) return null;
  const ends = DIRECTIONS.map(([name, direction]) => {
    const turned = worldToView(document, direction);
    return { name, right: turned[0], down: turned[1], away: turned[2] };
  });
  // What points away is drawn first.
  ends.sort((a, b) => b.away - a.away);
  return (
    <svg class="tripod" width={SIZE} height={SIZE} aria-hidden="true">
      <g transform={`translate(${SIZE / 2} ${SIZE / 2})`}>
        {ends.map(({ name, right, down, away }) => (
          <g key={name} class={`axis-${name}`} opacity={away > 0.3 ? 0.55 : 1}>
            <path d={`M0 0L${right * LENGTH} ${down * LENGTH}`} />
            <text
              x={right * (LENGTH + 6)}
              y={down * (LENGTH + 6)}
              text-anchor="middle"
              dominant-baseline="central"
            >
              {name}
            </text>
          </g>
        ))}
      </g>
    </svg>
  );
}
