/** Above the list: search, filters, pause, export. */

import { Button } from "../ui/Button";
import { Select, TextField } from "../ui/fields";
import type { Filter } from "./filter";
import { kindLabel, PRIORITIES, priorityLabel, shortTurn } from "./kinds";
import { Menu } from "./Menu";

interface ToolbarProps {
  id: string;
  filter: Filter;
  kinds: readonly string[];
  turns: readonly string[];
  isPaused: boolean;
  missed: number;
  canExport: boolean;
  onFilter(part: Partial<Filter>): void;
  onPause(): void;
  onExport(format: "csv" | "jsonl"): void;
}

/** More are found by search; a list of thousands is of no use. */
const MOST_TURNS = 100;

export function Toolbar(props: ToolbarProps) {
  const { id, filter, onFilter } = props;
  return (
    <div class="rb-log-toolbar" role="toolbar" aria-label="Events">
      <div class="rb-log-search">
        <label class="rb-sr-only" for={`${id}-search`}>
          Search events
        </label>
        <TextField
          id={`${id}-search`}
          type="search"
          value={filter.text}
          placeholder="Search events"
          onInput={(text) => onFilter({ text })}
        />
      </div>
      <ChoiceMenu
        id={`${id}-priorities`}
        title="Priority"
        options={PRIORITIES}
        label={priorityLabel}
        chosen={filter.priorities}
        onChange={(priorities) => onFilter({ priorities })}
      />
      <ChoiceMenu
        id={`${id}-kinds`}
        title="Kind"
        options={props.kinds}
        label={kindLabel}
        chosen={filter.kinds}
        onChange={(kinds) => onFilter({ kinds })}
      />
      <div class="rb-log-turn">
        <Select
          id={`${id}-turn`}
          label="Turn"
          value={filter.turn}
          options={turnOptions(props.turns, filter.turn)}
          onChange={(turn) => onFilter({ turn })}
        />
      </div>
      <div class="rb-log-actions">
        <PauseButton isPaused={props.isPaused} missed={props.missed} onClick={props.onPause} />
        <Menu id={`${id}-export`} label="Export what is shown" icon="save" text="Export" isAtEnd>
          {(close) =>
            (["csv", "jsonl"] as const).map((format) => (
              <Button
                key={format}
                label={`Export as ${format.toUpperCase()}`}
                kind="quiet"
                isDisabled={!props.canExport}
                onClick={() => {
                  close();
                  props.onExport(format);
                }}
              >
                {format.toUpperCase()}
              </Button>
            ))
          }
        </Menu>
      </div>
    </div>
  );
}

function PauseButton({ isPaused, missed, onClick }: { isPaused: boolean; missed: number; onClick(): void }) {
  const label = isPaused ? (missed > 0 ? `Resume, ${missed} new` : "Resume") : "Pause";
  return (
    <Button label={label} icon={isPaused ? "play" : "pause"} isPressed={isPaused} onClick={onClick}>
      <span class={isPaused ? "" : "rb-wide-only"}>{isPaused && missed > 0 ? `${missed} new` : label}</span>
    </Button>
  );
}

interface ChoiceMenuProps {
  id: string;
  title: string;
  options: readonly string[];
  label(option: string): string;
  chosen: ReadonlySet<string>;
  onChange(chosen: ReadonlySet<string>): void;
}

function ChoiceMenu({ id, title, options, label, chosen, onChange }: ChoiceMenuProps) {
  const toggle = (option: string) => {
    const next = new Set(chosen);
    if (!next.delete(option)) next.add(option);
    onChange(next);
  };
  const text =
    chosen.size === 0 ? title : `${title}: ${chosen.size === 1 ? label([...chosen][0] ?? "") : chosen.size}`;
  return (
    <Menu id={id} label={`Filter by ${title.toLowerCase()}`} text={text} isActive={chosen.size > 0}>
      {() => (
        <fieldset class="rb-choices">
          <legend class="rb-sr-only">{title}</legend>
          {options.map((option) => (
            <label key={option} class="rb-choice">
              <input type="checkbox" checked={chosen.has(option)} onChange={() => toggle(option)} />
              <span>{label(option)}</span>
            </label>
          ))}
          {options.length === 0 && <span class="rb-field-help">None yet</span>}
          {chosen.size > 0 && <Button label="Show all" kind="quiet" onClick={() => onChange(new Set())} />}
        </fieldset>
      )}
    </Menu>
  );
}

function turnOptions(turns: readonly string[], chosen: string): { value: string; label: string }[] {
  const newest = turns.slice(-MOST_TURNS).reverse();
  const listed = chosen !== "" && !newest.includes(chosen) ? [chosen, ...newest] : newest;
  return [
    { value: "", label: "All turns" },
    ...listed.map((turn) => ({ value: turn, label: `Turn ${shortTurn(turn)}` })),
  ];
}
