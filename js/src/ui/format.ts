/** Numbers and times as people read them. */

import type { UsageView } from "../protocol";

const WHOLE = new Intl.NumberFormat("en-US");

export const count = (value: number): string => WHOLE.format(value);

/** 950, 1.2k, 31k, 1.4M */
export function compact(value: number): string {
  if (value < 1000) return String(value);
  const [scaled, unit] = value < 1_000_000 ? [value / 1000, "k"] : [value / 1_000_000, "M"];
  return `${scaled < 10 ? scaled.toFixed(1).replace(/\.0$/, "") : Math.round(scaled)}${unit}`;
}

/** Dollars with as many digits as a small sum needs. */
export function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value < 0.0001) return "<$0.0001";
  return `$${value.toFixed(value < 0.1 ? 4 : 2)}`;
}

/** "≈" marks an estimate; nothing is said of a cost that nobody knows. */
export function cost(usage: UsageView): string {
  if (usage.cost_usd === null) return "";
  return `${usage.cost_is_estimate ? "≈" : ""}${dollars(usage.cost_usd)}`;
}

/** 0.8 s, 12 s, 2 min 5 s */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export const clockTime = (milliseconds: number): string =>
  new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
