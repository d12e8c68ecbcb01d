/** Asks the kernel which models there are, not more often than a person can read the answers. */

import { useEffect, useState } from "preact/hooks";
import type { ModelChoice } from "../protocol";
import type { Store } from "../state/store";
import { compact, dollars } from "../ui/format";

export type ModelSearch = (words: string) => Promise<readonly ModelChoice[]>;

const TYPING_PAUSE_MS = 200;
const MOST_SHOWN = 50;

export const modelSearch = (store: Store): ModelSearch => {
  return async (words) => (await store.command("models", { words })).models.slice(0, MOST_SHOWN);
};

export interface Found {
  isAsking: boolean;
  models: readonly ModelChoice[];
  error: string;
}

const NOTHING: Found = { isAsking: false, models: [], error: "" };

/** The models for `words` while `isOpen`. */
export function useModels(search: ModelSearch, words: string, isOpen: boolean): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    if (!isOpen) return setFound(NOTHING);
    let isCurrent = true;
    const finish = (answer: Partial<Found>) => isCurrent && setFound({ ...NOTHING, ...answer });
    setFound((before) => ({ ...before, isAsking: true, error: "" }));
    const timer = setTimeout(() => {
      search(words).then(
        (models) => finish({ models }),
        (error: Error) => finish({ error: error.message }),
      );
    }, TYPING_PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [search, words, isOpen]);
  return found;
}

/** "200k tokens · $3 in, $15 out per million"; what is unknown is left out. */
export function modelFacts(model: ModelChoice): string {
  const context = model.context_length === null ? "" : `${compact(model.context_length)} tokens`;
  return [context, priceText(model)].filter(Boolean).join(" · ");
}

function priceText({ input_usd: input, output_usd: output }: ModelChoice): string {
  if (input === null || output === null) return "";
  if (input === 0 && output === 0) return "free";
  return `${dollars(input)} in, ${dollars(output)} out per million`;
}
