/** The anywidget module: a store per model in `initialize`, DOM per view in `render`. */

// First, so that the tabs can refine them.
import "./styles/tokens.css";
import "./styles/frame.css";
import "./styles/ui.css";
import type { AnyModel } from "@anywidget/types";
import { render } from "preact";
import { CellCard } from "./CellCard";
import { Frame } from "./Frame";
import { Store } from "./state/store";
import { AnyModelTransport } from "./transport";
import { keepContextMenu } from "./ui/contextMenu";
import { focusWhenShown, keepFocus } from "./ui/focus";
import { listenForFocusKey } from "./ui/focusKey";
import { keepKeys } from "./ui/keys";
import { View } from "./view";

interface Traits {
  /** The tab a new view opens. */
  tab?: string;
  /** The cell it was made in. */
  place?: string;
  /** The next view of it is to be typed in at once. */
  takes_focus?: boolean;
  /** For the card below a cell: the turn whose tools are all it shows. */
  turn?: string | null;
}

export default function widget() {
  let store: Store | undefined;
  return {
    initialize({ model, signal }: { model: AnyModel<Traits>; signal: AbortSignal }) {
      store = new Store(new AnyModelTransport(model as AnyModel), signal);
    },
    render({ model, el, signal }: { model: AnyModel<Traits>; el: HTMLElement; signal: AbortSignal }) {
      if (!store) throw new Error("anywidget renders after it initializes");
      const view = new View(el, model.get("tab") || "chat", model.get("place") || "");
      keepKeys(el, signal);
      keepFocus(view, signal);
      keepContextMenu(el, signal);
      const turn = model.get("turn");
      if (!turn) listenForFocusKey(view, signal);
      render(
        turn ? <CellCard store={store} view={view} turn={turn} /> : <Frame store={store} view={view} />,
        el,
      );
      if (model.get("takes_focus")) {
        model.set("takes_focus", false);
        model.save_changes();
        focusWhenShown(view, signal);
      }
      store.open();
      return () => render(null, el);
    },
  };
}
