/** Mounts the built widget the way anywidget does, with a scene for a kernel. */

import { bombs } from "../tests/markdown/bombs";
import { FakeModel } from "./fake";
import { SCENES } from "./scenes";

const parameters = new URLSearchParams(location.search);
const model = new FakeModel({ tab: parameters.get("tab") ?? "chat" });
const element = document.querySelector<HTMLElement>("#widget");
if (!element) throw new Error("there is no place for the widget");
element.style.width = `${parameters.get("width") ?? 900}px`;
document.body.dataset.jpThemeLight = String(parameters.get("theme") !== "dark");
SCENES[parameters.get("scene") ?? "empty"]?.(model);
Object.assign(window, { model, bombs });

const { default: widget } = await import(/* @vite-ignore */ new URL("/static/widget.js", location.href).href);
const { initialize, render } = widget();
const { signal } = new AbortController();
initialize({ model, signal });
render({ model, el: element, signal });
