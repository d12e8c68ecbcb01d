// biome-ignore-all lint/a11y/useFocusableInteractive: the list has the focus and names its active row
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the list takes the keys of its active row

/** The list of events: only the rows in sight are in the page. Follows the newest until the reader scrolls up. */

import type { TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import type { EventRow } from "../protocol";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { Icon } from "../ui/Icon";
import { firstAt } from "./filter";
import { kindLabel, lookOf, preciseTime, priorityLabel, shortTurn, span } from "./kinds";
import { ROW_HEIGHT, rangeInSight, scrollToRow } from "./windowing";

interface EventListProps {
  id: string;
  rows: readonly EventRow[];
  selected: number | null;
  onSelect(seq: number): void;
  onOpen(seq: number): void;
  onClose(): void;
  /** The reader is at the first row. */
  onTop(): void;
}

/** Where the reader is: at the end, or at a row, whatever is added before it. */
interface Place {
  isFollowing: boolean;
  seq: number;
  /** Pixels of that row above the upper edge. */
  offset: number;
  /** seq of the last row when the reader left the end. */
  leftAt: number;
}

const COLUMNS = ["Time", "Priority", "Kind", "State", "Turn", "Took", "Summary"] as const;

export function EventList({ id, rows, selected, onSelect, onOpen, onClose, onTop }: EventListProps) {
  const box = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(0);
  const [, redraw] = useReducer<number, void>((renders) => renders + 1, 0);
  const place = useRef<Place>({ isFollowing: true, seq: 0, offset: 0, leftAt: 0 }).current;
  const lastTop = useRef(0);

  const end = Math.max(0, rows.length * ROW_HEIGHT - height);
  const top = place.isFollowing ? end : Math.min(end, firstAt(rows, place.seq) * ROW_HEIGHT + place.offset);
  const { first, end: afterLast } = rangeInSight(top, height, rows.length);

  const goTo = (at: number) => {
    const wasFollowing = place.isFollowing;
    const index = Math.min(Math.floor(at / ROW_HEIGHT), rows.length - 1);
    place.isFollowing = at >= end - 2;
    place.seq = rows[index]?.seq ?? 0;
    place.offset = at - index * ROW_HEIGHT;
    if (wasFollowing) place.leftAt = rows[rows.length - 1]?.seq ?? 0;
    redraw();
  };
  /** Takes notice of a scroll that was the reader's. */
  const noticeScroll = () => {
    const at = scroller.current?.scrollTop ?? 0;
    if (Math.abs(at - lastTop.current) <= 1) return;
    const isUp = at < lastTop.current;
    lastTop.current = at;
    goTo(at);
    if (isUp && at < ROW_HEIGHT * 2) onTop();
  };

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // The reader's scroll may not have been told yet; it must not be undone by a row that came meanwhile.
    const isMoved = place.isFollowing && element.scrollTop < lastTop.current - 1 && lastTop.current <= end;
    if (isMoved) return noticeScroll();
    if (Math.abs(element.scrollTop - top) > 1) element.scrollTop = top;
    lastTop.current = element.scrollTop;
  });

  const select = (index: number) => {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (!row) return;
    onSelect(row.seq);
    const at = scrollToRow(firstAt(rows, row.seq), top, height);
    if (at !== top) goTo(Math.min(at, end));
    if (row === rows[0]) onTop();
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const at = selected === null ? rows.length : firstAt(rows, selected);
    const page = Math.max(1, Math.floor(height / ROW_HEIGHT) - 1);
    const targets: Record<string, number> = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: rows.length - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) select(target);
    else if ((event.key === "Enter" || event.key === " ") && selected !== null) onOpen(selected);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
  };

  const missed = place.isFollowing ? 0 : rows.length - firstAt(rows, place.leftAt + 1);
  const active = rows.slice(first, afterLast).some((row) => row.seq === selected);
  return (
    <div class="rb-log-list">
      <div
        class="rb-log-box"
        role="listbox"
        ref={box}
        aria-label="Events, oldest first"
        aria-activedescendant={active ? `${id}-row-${selected}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <HeaderRow />
        <div class="rb-log-scroller" ref={scroller} tabIndex={-1} onScroll={noticeScroll}>
          <div class="rb-log-space" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
            <div style={{ transform: `translateY(${first * ROW_HEIGHT}px)` }}>
              {rows.slice(first, afterLast).map((row, index) => (
                <Row
                  key={row.seq}
                  id={`${id}-row-${row.seq}`}
                  row={row}
                  index={first + index + 1}
                  total={rows.length}
                  isSelected={row.seq === selected}
                  onOpen={() => {
                    box.current?.focus({ preventScroll: true });
                    onSelect(row.seq);
                    onOpen(row.seq);
                  }}
                />
              ))}
            </div>
          </div>
        </div>
      </div>
      {!place.isFollowing && (
        <Button
          label={missed > 0 ? `Jump to newest, ${missed} new` : "Jump to newest"}
          icon="down"
          class="rb-log-jump"
          onClick={() => goTo(end)}
        >
          {missed > 0 ? `${count(missed)} new` : "Jump to newest"}
        </Button>
      )}
    </div>
  );
}

function HeaderRow() {
  return (
    <div class="rb-log-row rb-log-header" aria-hidden="true">
      {COLUMNS.map((title) => (
        <span key={title} class={`rb-log-${title.toLowerCase()}`}>
          {title === "Priority" ? "" : title}
        </span>
      ))}
    </div>
  );
}

interface RowProps {
  id: string;
  row: EventRow;
  /** From 1. */
  index: number;
  total: number;
  isSelected: boolean;
  onOpen(): void;
}

function Row({ id, row, index, total, isSelected, onOpen }: RowProps) {
  const look = lookOf(row.kind);
  return (
    <div
      id={id}
      class="rb-log-row"
      role="option"
      aria-posinset={index}
      aria-setsize={total}
      aria-selected={isSelected}
      data-tone={look.tone}
      onClick={onOpen}
    >
      <span class="rb-log-time">
        {preciseTime(row.time).slice(0, 8)}
        <span class="rb-log-ms">{preciseTime(row.time).slice(8)}</span>
      </span>
      <span class="rb-log-priority" data-priority={row.priority} title={priorityLabel(row.priority)}>
        <span class="rb-sr-only">{priorityLabel(row.priority)}</span>
      </span>
      <span class="rb-log-kind">
        <Icon name={look.icon} />
        <span>{kindLabel(row.kind)}</span>
      </span>
      <span class="rb-log-state">{row.state?.replaceAll("_", " ")}</span>
      <span class="rb-log-turn" title={row.turn_id ?? undefined}>
        {row.turn_id && shortTurn(row.turn_id)}
      </span>
      <span class="rb-log-took">{span(row.duration_s)}</span>
      <span class="rb-log-summary" dir="auto">
        {row.summary}
      </span>
    </div>
  );
}
