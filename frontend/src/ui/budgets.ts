// How much memory this browser lends: chosen in the statistics panel, remembered on this machine.
import type { Budgets } from "../render/types";

const KEY = "voxelview-budgets";

const MIB = 1024 * 1024;

/** MiB that can be chosen. */
export const LIMITS = { gpu: [64, 8192], cache: [64, 8192] } as const;

function within(bytes: unknown, [least, most]: readonly [number, number]): number | null {
  if (typeof bytes !== "number" || !Number.isFinite(bytes)) return null;
  return Math.min(Math.max(bytes, least * MIB), most * MIB);
}

/** What was chosen before; null when nothing was. */
export function savedBudgets(): Budgets | null {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? "null") as Record<string, unknown> | null;
    const gpu = within(saved?.["gpu"], LIMITS.gpu);
    const cache = within(saved?.["cache"], LIMITS.cache);
    return gpu === null || cache === null ? null : { gpu, cache };
  } catch {
    return null; // No storage (a sandboxed frame), or something else lies there.
  }
}

export function saveBudgets(budgets: Budgets): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(budgets));
  } catch {
    // It holds for as long as the page is open.
  }
}
