/** ES modules that come from the kernel when they are first needed, once per page. */

import type { LibraryHeader } from "../protocol";

export interface Katex {
  draw(tex: string, element: HTMLElement, isBlock: boolean): void;
}

export type FetchLibrary = () => Promise<{ header: LibraryHeader; data: DataView }>;

/** Of plotly.js, what is used here. */
export interface Plotly {
  react(element: HTMLElement, data: unknown, layout: object, config: object): Promise<unknown>;
  purge(element: HTMLElement): void;
  Plots: { resize(element: HTMLElement): unknown };
}

export type Markdown = typeof import("./markdown");

/** Name → what its module exports. */
export interface Libraries {
  katex: Katex;
  markdown: Markdown;
  plotly: { default: Plotly };
}

export const LIBRARY_TIMEOUT_MS = 20_000;

const REGISTRY = Symbol.for("rustbot.libs");
/** Changes when a module's exports do: a page can hold widgets of two versions. */
const INTERFACE = 2;

/** Shared by all widgets of the page, whichever version of this bundle they brought. */
function registry(): Map<string, Promise<unknown>> {
  const page = globalThis as { [REGISTRY]?: Map<string, Promise<unknown>> };
  page[REGISTRY] ??= new Map();
  return page[REGISTRY];
}

/** The library `name`. A failure is forgotten, so that the next message asks again. */
export function loadLibrary<N extends keyof Libraries>(
  name: N,
  fetchLibrary: FetchLibrary,
): Promise<Libraries[N]> {
  const libraries = registry();
  const key = `${name}@${INTERFACE}`;
  const known = libraries.get(key) as Promise<Libraries[N]> | undefined;
  if (known) return known;
  const loading = fetchLibrary().then(importModule<Libraries[N]>);
  libraries.set(key, loading);
  loading.catch(() => libraries.delete(key));
  return loading;
}

async function importModule<L>({ header, data }: Awaited<ReturnType<FetchLibrary>>): Promise<L> {
  const packed = new Blob([data as DataView<ArrayBuffer>]);
  const stream =
    header.encoding === "gzip"
      ? packed.stream().pipeThrough(new DecompressionStream("gzip"))
      : packed.stream();
  const code = await new Response(stream).arrayBuffer();
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return (await import(url)) as L;
  } finally {
    URL.revokeObjectURL(url);
  }
}
