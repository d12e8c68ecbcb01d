/** The model that answers, and the list to pick another one from. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelChoice, ModelView } from "../protocol";
import type { Store } from "../state/store";
import { focusPrompt } from "../ui/focus";
import { compact, dollars } from "../ui/format";
import { useCloseOutside, useSelect } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import type { View } from "../view";
import type { ChatActions } from "./actions";

const ASK_AFTER_MS = 150;
const MOST_SHOWN = 60;

interface ModelPickerProps {
  store: Store;
  view: View;
  actions: ChatActions;
}

export function ModelPicker({ store, view, actions }: ModelPickerProps) {
  const model = useSelect(store, (state) => state.model);
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div class="rb-model">
      <button
        ref={button}
        type="button"
        class="rb-model-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-label={`Model: ${modelName(model)}`}
        title={model.host ? `${model.id} at ${model.host}` : model.id}
        onClick={() => setOpen(!isOpen)}
      >
        {model.is_demo && <Icon name="offline" />}
        <bdi>{modelName(model)}</bdi>
        <Icon name="chevron" />
      </button>
      {isOpen && (
        <ModelList
          store={store}
          idPrefix={view.id}
          current={model.id}
          onPick={(id) => {
            close();
            focusPrompt(view);
            if (id !== model.id) actions.setModel(id);
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

const modelName = (model: ModelView): string => (model.is_demo ? "offline demo" : model.id || "no model");

interface ModelListProps {
  store: Store;
  idPrefix: string;
  current: string;
  onPick(id: string): void;
  onClose(): void;
}

function ModelList({ store, idPrefix, current, onPick, onClose }: ModelListProps) {
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const { models, note } = useModels(store, words);
  const options = withTyped(models, words);
  const card = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const listId = `${idPrefix}-models`;
  useCloseOutside(card, onClose);
  useEffect(() => {
    card.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, options.length]);

  const keys: Record<string, () => void> = {
    ArrowDown: () => setAt((at + 1) % Math.max(1, options.length)),
    ArrowUp: () => setAt((at - 1 + options.length) % Math.max(1, options.length)),
    Enter: () => options[at] && onPick(options[at].id),
    Escape: onClose,
    Tab: onClose,
  };
  return (
    <div class="rb-models" ref={card} role="dialog" aria-label="Choose a model">
      <div class="rb-models-search">
        <Icon name="search" />
        <input
          ref={input}
          class="rb-models-input"
          role="combobox"
          aria-label="Search models"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={options[at] ? `${listId}-${at}` : undefined}
          placeholder="Search, or type any model id"
          autocomplete="off"
          spellcheck={false}
          value={words}
          onInput={(event) => {
            setWords(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            const act = keys[event.key];
            if (!act) return;
            event.preventDefault();
            event.stopPropagation();
            act();
          }}
        />
      </div>
      <div class="rb-models-list" id={listId} role="listbox" aria-label="Models">
        {options.map((option, index) => (
          <button
            key={option.id}
            type="button"
            id={`${listId}-${index}`}
            class={`rb-models-option ${option.id === current ? "rb-models-current" : ""}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onPick(option.id)}
          >
            <span class="rb-models-name">
              <bdi>{option.name || option.id}</bdi>
              {option.id === current && <Icon name="check" />}
            </span>
            <span class="rb-models-facts">
              <bdi>{option.id}</bdi>
              {facts(option).map((fact) => (
                <span key={fact}>{fact}</span>
              ))}
            </span>
          </button>
        ))}
      </div>
      {note && <div class="rb-models-note">{note}</div>}
    </div>
  );
}

/** What was typed can be used as it is: no list knows every model. */
function withTyped(models: readonly ModelChoice[], words: string): readonly ModelChoice[] {
  const id = words.trim();
  if (id === "" || /\s/.test(id) || models.some((model) => model.id === id)) return models;
  const typed = { id, name: `Use "${id}"`, context_length: null, input_usd: null, output_usd: null };
  return [...models, typed];
}

function facts({ context_length, input_usd, output_usd }: ModelChoice): string[] {
  const context = context_length === null ? "" : `${compact(context_length)} context`;
  const isFree = input_usd === 0 && output_usd === 0;
  const isKnown = input_usd !== null && output_usd !== null;
  const price = isFree
    ? "free"
    : isKnown
      ? `${dollars(input_usd)} in · ${dollars(output_usd)} out per million`
      : "";
  return [context, price].filter(Boolean);
}

function useModels(store: Store, words: string): { models: readonly ModelChoice[]; note: string } {
  const [models, setModels] = useState<readonly ModelChoice[]>([]);
  const [note, setNote] = useState("Asking for the list…");
  useEffect(() => {
    let isWanted = true;
    const ask = async () => {
      try {
        const { models, age_s } = await store.command("models", { words: words.trim() });
        if (!isWanted) return;
        setModels(models.slice(0, MOST_SHOWN));
        setNote(listNote(models.length, age_s));
      } catch (error) {
        if (isWanted) setNote(error instanceof Error ? error.message : String(error));
      }
    };
    const timer = setTimeout(ask, words === "" ? 0 : ASK_AFTER_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [store, words]);
  return { models, note };
}

function listNote(found: number, age_s: number | null): string {
  if (found === 0) return "No known model matches.";
  const more = found > MOST_SHOWN ? `${found - MOST_SHOWN} more: type to narrow. ` : "";
  const isOld = age_s !== null && age_s > 86_400;
  return more + (isOld ? `The list is ${Math.round(age_s / 86_400)} days old.` : "");
}
