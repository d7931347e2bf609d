// The three axes in a corner of a panel: of the 3-D one turned as the camera is; of a slice panel
// where they pierce it aslant.
import type { ShownAxis } from "./directions";

const SIZE = 56;
const LENGTH = 18;

interface AxisTripodProps {
  /** The farthest first: what points away is drawn first. */
  readonly axes: readonly ShownAxis[];
  /** Whether there is a scale bar below it. */
  readonly raised?: boolean;
}

export function AxisTripod({ axes, raised = false }: AxisTripodProps) {
  return (
    <svg class={raised ? "tripod raised" : "tripod"} width={SIZE} height={SIZE} aria-hidden="true">
      <g transform={`translate(${SIZE / 2} ${SIZE / 2})`}>
        {axes.map(({ name, right, down, away }) => (
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
