/** Line icons on a 24 by 24 grid, drawn for this widget. They are decoration: the text beside them says it. */

const PATHS = {
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  events: "M4 7h3M4 12h3M4 17h3M10.5 7H20M10.5 12H20M10.5 17H20",
  settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  retry: "M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  chevron: "M7 10l5 5 5-5",
  replace: "M4 8h13l-3-3M20 16H7l3 3",
  key: "M14.5 9.5a4 4 0 1 0-3.6 5L13 12.500M13.300 11.700L20 5M17 8l2.500 2.500",
  warning: "M12 4l9 16H3zM12 10v4.500M12 17v.3",
  info: "M12 11v6M12 7v.3M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  error: "M12 7v6M12 16.500v.3M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  play: "M8 5l11 7-11 7z",
  pause: "M9 6v12M15 6v12",
  save: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.500 4.500",
  thought: "M12 4a6 6 0 0 0-3.500 10.900V17h7v-2.100A6 6 0 0 0 12 4zM9.500 20h5",
  offline: "M4 14a8 8 0 0 1 16 0M8 14a4 4 0 0 1 8 0M12 18v.1",
  eye: "M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6zM12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  terminal: "M4 5h16v14H4zM7.500 9.500l3 2.500-3 2.500M13 15h3.500",
  globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  question:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .700-1 1.700M12 16.500v.3",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.500 2",
  blocked: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.700 5.700l12.600 12.600",
  shield: "M12 3l7 2.500V11c0 4.500-3 8-7 10-4-2-7-5.500-7-10V5.500z",
  tool: "M14.500 6.500a4.500 4.500 0 0 1 5.500-2L17 7.500l.500 2 2 .500 3-3a4.500 4.500 0 0 1-6 5.500L9 20a2 2 0 0 1-3-3l7.500-7.500a4.500 4.500 0 0 1 1-3z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="rb-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
