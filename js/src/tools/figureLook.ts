/** How figures look in this page: its colours, for whatever a figure does not say itself. */

const PALETTE = [
  "#636efa",
  "#ef553b",
  "#00cc96",
  "#ab63fa",
  "#ffa15a",
  "#19d3f3",
  "#ff6692",
  "#8fc93a",
  "#ff97ff",
  "#e0b02c",
];

/** Nothing that leads out of the page, and no formulas: whoever draws those could load more. */
export const CONFIG = {
  displaylogo: false,
  responsive: false,
  scrollZoom: false,
  showSendToCloud: false,
  typesetMath: false,
};

/** The layout with the colours and sizes of the element that it is drawn into. */
export function fittedLayout(layout: Readonly<Record<string, unknown>>, element: HTMLElement): object {
  const { paper_bgcolor, width, height, ...own } = layout;
  return {
    ...own,
    // It is small, and axes make room for themselves.
    margin: { l: 48, r: 16, t: layout.title ? 44 : 16, b: 40 },
    autosize: true,
    template: { layout: look(element) },
    // Else what was zoomed would be whole again when the theme changes.
    uirevision: "kept",
  };
}

function look(element: HTMLElement): object {
  const style = getComputedStyle(element);
  const clear = "rgba(0,0,0,0)";
  const faint = inkOf(style.color, 0.12);
  const axis = {
    automargin: true,
    gridcolor: faint,
    linecolor: faint,
    zerolinecolor: inkOf(style.color, 0.3),
  };
  const round = { bgcolor: clear, radialaxis: axis, angularaxis: axis };
  return {
    font: { family: style.fontFamily, size: 12, color: inkOf(style.color, 0.9) },
    title: { font: { size: 14 }, x: 0.02 },
    colorway: PALETTE,
    colorscale: { sequential: "Viridis" },
    paper_bgcolor: clear,
    plot_bgcolor: clear,
    hoverlabel: {
      bgcolor: style.backgroundColor,
      bordercolor: faint,
      font: { color: inkOf(style.color, 1) },
    },
    xaxis: axis,
    yaxis: axis,
    polar: round,
    scene: { xaxis: axis, yaxis: axis, zaxis: axis },
  };
}

/** The colour as Plotly reads it, as strong as `alpha`. */
function inkOf(color: string, alpha: number): string {
  const [red, green, blue] = /^rgba?\(/.test(color) ? (color.match(/[\d.]+/g) ?? []) : [];
  return red && green && blue ? `rgba(${red},${green},${blue},${alpha})` : `rgba(128,128,128,${alpha})`;
}
